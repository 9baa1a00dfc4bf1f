"""A foreign client against the simulator: wechatpayv3 from PyPI, unchanged but for its address.

Called as `client.py FOLDER`, with the folder of merchant.json. Prints a line for each thing that
holds, and fails with the first that does not.
"""

import gzip
import hashlib
import json
import queue
import sys
import threading
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

FOLDER = Path(sys.argv[1])
MERCHANT = json.loads((FOLDER / "merchant.json").read_text())
BASE_URL = MERCHANT["base_url"]
# The one change: the address, which the client sets itself and does not ask for.
Core._gate_way = property(lambda _: BASE_URL, lambda _, __: None)

RECEIVED = queue.Queue()


class Inbox(BaseHTTPRequestHandler):
    """The merchant's notify_url."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        RECEIVED.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def text_of(name):
    return (FOLDER / MERCHANT[name]).read_text()


def client(notify_url, **changes):
    given = {
        "wechatpay_type": WeChatPayType.NATIVE,
        "mchid": MERCHANT["mchid"],
        "private_key": text_of("private_key_file"),
        "cert_serial_no": MERCHANT["serial_no"],
        "apiv3_key": MERCHANT["api_v3_key"],
        "appid": MERCHANT["appid"],
        "notify_url": notify_url,
    }
    given.update(changes)
    return WeChatPay(**given)


def control(path, body):
    data = json.dumps(body).encode()
    with urllib.request.urlopen(f"{BASE_URL}/_simulator/{path}", data) as reply:
        return json.load(reply)


def expect(what, code, wanted, message):
    assert code == wanted, f"{what}: {code} {message}"
    print("holds:", what)
    return json.loads(message) if message else None


def through(pay, mode, notify_url):
    """Everything from order to refund, with one way to trust WeChat."""
    number = f"PY{mode}{time.time_ns()}"[:32]
    code, message = pay.pay("一壶茶", number, {"total": 1990, "currency": "CNY"})
    ordered = expect(f"{mode}: order", code, 200, message)
    code, message = pay.query(out_trade_no=number)
    unpaid = expect(f"{mode}: query", code, 200, message)
    assert unpaid["trade_state"] == "NOTPAY", unpaid

    control("pay", {"code_url": ordered["code_url"], "outcome": "success"})
    headers, body = RECEIVED.get(timeout=10)
    opened = pay.callback(headers, body)
    assert opened and opened["event_type"] == "TRANSACTION.SUCCESS", opened
    assert opened["resource"]["out_trade_no"] == number
    print(f"holds: {mode}: notification received and opened")
    assert pay.callback(headers, body.replace(b"create_time", b"create_tima")) is None
    print(f"holds: {mode}: a changed notification is refused")

    code, message = pay.query(transaction_id=opened["resource"]["transaction_id"])
    paid = expect(f"{mode}: query by WeChat's number", code, 200, message)
    assert paid["trade_state"] == "SUCCESS", paid
    code, message = pay.close(number)
    assert code == 400 and json.loads(message)["code"] == "ORDERPAID", message
    print(f"holds: {mode}: a paid order is not closed")

    refund = f"R{number}"
    amount = {"refund": 990, "total": 1990, "currency": "CNY"}
    code, message = pay.refund(refund, amount, out_trade_no=number, notify_url=notify_url)
    accepted = expect(f"{mode}: refund", code, 200, message)
    assert accepted["status"] == "PROCESSING", accepted
    control("refund/outcome", {
        "mchid": MERCHANT["mchid"], "out_refund_no": refund, "outcome": "success",
    })
    headers, body = RECEIVED.get(timeout=10)
    opened = pay.callback(headers, body)
    assert opened["event_type"] == "REFUND.SUCCESS", opened
    assert opened["resource"]["refund_status"] == "SUCCESS", opened
    print(f"holds: {mode}: notification of the refund")
    code, message = pay.query_refund(refund)
    refunded = expect(f"{mode}: refund query", code, 200, message)
    assert refunded["status"] == "SUCCESS", refunded

    unwanted = f"C{number}"[:32]
    code, message = pay.pay("一壶茶", unwanted, {"total": 1, "currency": "CNY"})
    expect(f"{mode}: another order", code, 200, message)
    code, message = pay.close(unwanted)
    expect(f"{mode}: close", code, 204, message)


def bill(pay):
    today = datetime.now(timezone(timedelta(hours=8))).date().isoformat()
    code, message = pay.trade_bill(today, "ALL", "GZIP")
    asked = expect("bill asked for", code, 200, message)
    code, packed = pay.download_bill(asked["download_url"])
    assert code == 200, packed
    plain = gzip.decompress(packed)
    assert hashlib.sha1(plain).hexdigest() == asked["hash_value"]
    rows = plain.decode("utf-8-sig").splitlines()
    assert rows[0].startswith("交易时间,公众账号ID,商户号"), rows[0]
    total = sum(round(float(row.split(",`")[24]) * 100) for row in rows[1:-2])
    print("holds: bill downloaded, with its digest")
    assert rows[-1].split(",`")[5] == f"{total / 100:.2f}", rows[-1]
    print("holds: the sums of the bill")


def wrong_keys(notify_url):
    # A key that is a key, and not the merchant's.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    other = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    mode = {"public_key": text_of("public_key_file"), "public_key_id": MERCHANT["public_key_id"]}
    pay = client(notify_url, private_key=other, **mode)
    code, message = pay.pay("一壶茶", f"W{time.time_ns()}", {"total": 1})
    assert code == 401 and json.loads(message)["code"] == "SIGN_ERROR", message
    print("holds: a wrong merchant key is refused")
    theirs = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    pay = client(notify_url, public_key=theirs, public_key_id=MERCHANT["public_key_id"])
    try:
        pay.pay("一壶茶", f"W{time.time_ns()}", {"total": 1})
    except Exception as error:
        assert "verify" in str(error), error
        print("holds: a reply that the client's key does not fit is not believed")
    else:
        raise AssertionError("a wrong platform key was believed")


def main():
    server = HTTPServer(("127.0.0.1", 0), Inbox)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    notify_url = f"http://127.0.0.1:{server.server_port}/notify"
    # In this mode the constructor fetches /v3/certificates.
    through(client(notify_url), "cert", notify_url)
    key = {"public_key": text_of("public_key_file"), "public_key_id": MERCHANT["public_key_id"]}
    through(client(notify_url, **key), "key", notify_url)
    bill(client(notify_url, **key))
    wrong_keys(notify_url)
    print("all holds")


main()
