"""A foreign client of version 2 against the simulator: wechatpy from PyPI, unchanged but for its address.

Called as `client.py FOLDER`, with the folder of merchant.json, and with the simulator's address over HTTPS
in FOREIGN_HTTPS. REQUESTS_CA_BUNDLE names the simulator's authority. Prints a line for each thing that
holds, and fails with the first that does not.
"""

import json
import os
import queue
import sys
import threading
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import requests
from wechatpy.exceptions import InvalidSignatureException, WeChatPayException
from wechatpy.pay import WeChatPay
from wechatpy.pay.utils import dict_to_xml

FOLDER = Path(sys.argv[1])
MERCHANT = json.loads((FOLDER / "merchant.json").read_text())
# The one change: the address, which is a constant of the client.
WeChatPay.API_BASE_URL = os.environ["FOREIGN_HTTPS"] + "/"

RECEIVED = queue.Queue()


class Inbox(BaseHTTPRequestHandler):
    """The merchant's notify_url: accepts each notification in XML, as the client writes it."""

    def do_POST(self):
        RECEIVED.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        accepted = dict_to_xml({"return_code": "SUCCESS", "return_msg": "OK"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(accepted)))
        self.end_headers()
        self.wfile.write(accepted)

    def log_message(self, *_):
        pass


def client(**changes):
    given = {
        "appid": MERCHANT["appid"],
        "api_key": MERCHANT["api_v2_key"],
        "mch_id": MERCHANT["mchid"],
        "mch_cert": str(FOLDER / MERCHANT["certificate_file"]),
        "mch_key": str(FOLDER / MERCHANT["private_key_file"]),
        "timeout": 20,
    }
    given.update(changes)
    return WeChatPay(**given)


def control(path, body):
    data = json.dumps(body).encode()
    with urllib.request.urlopen(f"{MERCHANT['base_url']}/_simulator/{path}", data) as reply:
        return json.load(reply)


def holds(what):
    print("holds:", what)


def refused(call, **expected):
    """The call is refused, and the refusal has these fields."""
    try:
        call()
    except WeChatPayException as error:
        for name, value in expected.items():
            assert getattr(error, name) == value, f"{name}: {getattr(error, name)}, {error}"
    else:
        raise AssertionError(f"{expected} was expected")


def through(pay, sign_type, notify_url):
    """Everything from order to refund, with one kind of signature of the order."""
    number = f"PY{sign_type[0]}{time.time_ns()}"[:32]
    given = {"client_ip": "203.0.113.7", "sign_type": sign_type, "product_id": "tea"}
    ordered = pay.order.create("NATIVE", "一壶茶 <&>", 1990, notify_url, out_trade_no=number, **given)
    assert ordered["code_url"].startswith("weixin://wxpay/bizpayurl"), ordered
    holds(f"{sign_type}: order")
    assert pay.order.query(out_trade_no=number)["trade_state"] == "NOTPAY"
    holds(f"{sign_type}: query")

    control("pay", {"code_url": ordered["code_url"], "outcome": "success"})
    body = RECEIVED.get(timeout=10)
    if sign_type == "MD5":
        # This client knows one kind of signature of a notification.
        paid = pay.parse_payment_result(body)
        assert (paid["out_trade_no"], paid["total_fee"]) == (number, 1990), paid
        holds(f"{sign_type}: notification received and verified")
        try:
            pay.parse_payment_result(body.replace("<total_fee>", "<total_fee>1"))
        except InvalidSignatureException:
            holds(f"{sign_type}: a changed notification is refused")
        else:
            raise AssertionError("a changed notification was accepted")
    found = pay.order.query(out_trade_no=number)
    assert found["trade_state"] == "SUCCESS", found
    assert pay.order.query(transaction_id=found["transaction_id"])["out_trade_no"] == number
    holds(f"{sign_type}: query by WeChat's number")
    return number


def give_back(pay, number, notify_url):
    refund = f"R{number}"
    asked = {"out_trade_no": number, "notify_url": notify_url, "refund_desc": "茶凉了"}
    try:
        requests.post(f"{WeChatPay.API_BASE_URL}secapi/pay/refund", data=b"<xml/>").raise_for_status()
    except requests.HTTPError as error:
        assert error.response.status_code == 400, error
        holds("a refund without the merchant's certificate is refused")
    else:
        raise AssertionError("a refund needs no certificate")
    accepted = pay.refund.apply(1990, 990, refund, **asked)
    assert accepted["refund_fee"] == "990", accepted
    holds("refund")
    control("refund/outcome", {"mchid": MERCHANT["mchid"], "out_refund_no": refund, "outcome": "success"})
    told = pay.parse_refund_notify_result(RECEIVED.get(timeout=10))
    assert told["refund_status"] == "SUCCESS" and told["refund_fee"] == 990, told
    holds("notification of the refund opened")
    found = pay.refund.query(out_refund_no=refund)
    assert found["refund_status_0"] == "SUCCESS" and found["refund_count"] == "1", found
    holds("refund query")


def close(pay, notify_url):
    number = f"C{time.time_ns()}"
    pay.order.create("NATIVE", "茶", 1, notify_url, out_trade_no=number, client_ip="203.0.113.7", product_id="tea")
    control("clock", {"advance_s": 300})
    pay.order.close(number)
    assert pay.order.query(out_trade_no=number)["trade_state"] == "CLOSED"
    holds("close")


def till(pay):
    code = control("auth_code", {"payer": 2})["auth_code"]
    owner = pay.tools.auto_code_to_openid(code)
    number = f"M{time.time_ns()}"
    taken = pay.micropay.create("茶", 100, code, client_ip="203.0.113.7", out_trade_no=number)
    assert taken["openid"] == owner["openid"], taken
    holds("code pay")
    reversed_ = pay.order.reverse(out_trade_no=number)
    assert reversed_["recall"] == "N", reversed_
    holds("reverse")


def bill(pay, number):
    today = datetime.now(timezone(timedelta(hours=8)))
    text = pay.tools.download_bill(today.date())
    rows = text.lstrip("\ufeff").splitlines()
    assert rows[0].startswith("交易时间,公众账号ID,商户号"), rows[0]
    assert any(f"`{number}," in row for row in rows), text
    holds("bill downloaded")
    refused(lambda: pay.tools.download_bill("20140603"), return_code="FAIL", return_msg="No Bill Exist")
    holds("a day without a bill has none")


def main():
    server = HTTPServer(("127.0.0.1", 0), Inbox)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    notify_url = f"http://127.0.0.1:{server.server_port}/notify"
    pay = client()
    through(pay, "HMAC-SHA256", notify_url)
    number = through(pay, "MD5", notify_url)
    refused(lambda: pay.order.close(number), errcode="ORDERPAID")
    give_back(pay, number, notify_url)
    bill(pay, number)
    close(pay, notify_url)
    till(pay)
    stranger = client(api_key="0" * 32)
    refused(lambda: stranger.order.query(out_trade_no=number), return_msg="签名错误")
    holds("a wrong merchant key is refused")
    print("all holds")


main()
