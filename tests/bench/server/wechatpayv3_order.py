"""JSAPI orders by wechatpayv3: `wechatpayv3_order.py FOLDER ORDERS OPENID`, with the folder of
merchant.json. Prints one JSON object."""

import json
import os
import sys
import time
from pathlib import Path

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

folder, count, openid = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
merchant = json.loads((folder / "merchant.json").read_text())
# The client sets the gateway's address itself and does not ask for it.
Core._gate_way = property(lambda _: merchant["base_url"], lambda _, __: None)


def text_of(name):
    return (folder / merchant[name]).read_text()


client = WeChatPay(
    wechatpay_type=WeChatPayType.JSAPI,
    mchid=merchant["mchid"],
    private_key=text_of("private_key_file"),
    cert_serial_no=merchant["serial_no"],
    apiv3_key=merchant["api_v3_key"],
    appid=merchant["appid"],
    notify_url="https://shop.example/notify",
    public_key=text_of("public_key_file"),
    public_key_id=merchant["public_key_id"],
)
before, begun = time.process_time(), time.monotonic()
for index in range(count):
    status, answer = client.pay(
        description="茶",
        out_trade_no=f"PY{os.getpid()}{index}",
        amount={"total": 100},
        payer={"openid": openid},
    )
    if status != 200:
        sys.exit(f"the order was answered {status}: {answer}")
    prepay_id = json.loads(answer)["prepay_id"]
    client.sign([merchant["appid"], str(int(time.time())), "nonce", f"prepay_id={prepay_id}"])
cpu, seconds = time.process_time() - before, time.monotonic() - begun
print(json.dumps({"perSecond": round(count / seconds), "cpuUs": round(cpu / count * 1e6)}))
