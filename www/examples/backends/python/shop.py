"""A shop's backend in Python. It creates an order, and learns from a signed webhook that the order is paid.

    pip install -r requirements.txt
    KEY=… WEBHOOK_SECRET=whsec_… python3 shop.py

Then open http://127.0.0.1:8001/ . MERCHANT_SERVER and PORT name other addresses.
SHOP in a comment marks a part that a real shop replaces with its own. Python 3.9 or newer.
"""

import json
import os
import secrets
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

for name in ("KEY", "WEBHOOK_SECRET"):
    if not os.environ.get(name):
        sys.exit(f"{name} is not set")
MERCHANT_SERVER = os.environ.get("MERCHANT_SERVER", "http://127.0.0.1:8080")
PORT = int(os.environ.get("PORT", "8001"))
PAGE = (Path(__file__).parent / "../../html/index.html").read_text(encoding="utf-8")
WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])
# SHOP: your table of orders. It has for each order number whether the order is paid.
orders = {}
lock = threading.Lock()


def create_order():
    """Creates an order. Its price comes from the shop and never from a browser."""
    order_no = f"PYTHON-{secrets.token_hex(8)}"
    order = {"order_no": order_no, "total_fen": 6910, "description": "云南小粒咖啡"}
    headers = {"Authorization": "Bearer " + os.environ["KEY"], "Content-Type": "application/json"}
    request = urllib.request.Request(MERCHANT_SERVER + "/v1/orders", json.dumps(order).encode(), headers)
    with urllib.request.urlopen(request) as response:  # raises for a refusal
        token = json.load(response)["token"]
    orders[order_no] = False
    return {"order_no": order_no, "token": token, "merchant_api": MERCHANT_SERVER + "/v1"}


def receive(body, headers):
    """Takes a message of the merchant server's. It needs the raw body: a signature covers its bytes."""
    message = WEBHOOK.verify(body, headers)  # raises unless the signature is right and new
    order_no = message["data"].get("order_no")
    with lock:
        # A message can come twice, and an order is delivered once.
        if message["type"] == "payment.succeeded" and orders.get(order_no) is False:
            orders[order_no] = True  # SHOP: deliver the order here.


class Shop(BaseHTTPRequestHandler):
    """The shop's four routes."""

    def do_GET(self):
        order_no = self.path.removeprefix("/orders/")
        if self.path == "/":
            # SHOP: your own page. Here each visit creates an order.
            self.answer_or_fail(lambda: self.send(200, "text/html; charset=utf-8", filled_page()))
        elif order_no in orders:
            self.send_json(200, {"order_no": order_no, "paid": orders[order_no]})
        else:
            self.send_json(404, {"error": "no such page"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/orders":
            self.answer_or_fail(lambda: self.send_json(201, create_order()))
        elif self.path == "/webhooks":
            try:
                receive(body, self.headers)
            except (WebhookVerificationError, ValueError) as refusal:
                self.send(401, "text/plain", str(refusal))
            else:
                self.send(204)
        else:
            self.send_json(404, {"error": "no such page"})

    def answer_or_fail(self, answer):
        try:
            answer()
        except urllib.error.URLError as fault:
            self.log_error("%s", fault)
            self.send_json(502, {"error": "the order could not be created"})

    def send_json(self, status, fields):
        self.send(status, "application/json", json.dumps(fields))

    def send(self, status, content_type=None, text=""):
        body = text.encode()
        self.send_response(status)
        self.send_header("Cache-Control", "no-store")
        if content_type:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def filled_page():
    token = create_order()["token"]
    return PAGE.replace("TOKEN", token).replace("https://pay.shop.example", MERCHANT_SERVER)


print(f"http://127.0.0.1:{PORT}/", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
