// A shop that pays through endpoints that it has already: a payment service with forms and WeChat's names of version 2
// (/v1/pay/unified, /v1/pay/queryOrder). The element calls them through the page's transport; nothing of them changes.
//
//   KEY=… node shop.js
//
// Then open http://127.0.0.1:8001/ . PAYMENT_SERVICE and PORT name other addresses. Here the merchant server plays the
// payment service ([wxpay_server] in its configuration) and serves the element.
// SHOP in a comment marks a part that a real shop has already. Node 20 or newer, without packages.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const { KEY, PAYMENT_SERVICE = "http://127.0.0.1:8080", PORT = "8001" } = process.env;
if (!KEY) throw new Error("KEY is not set");
const file = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const [page, script] = [file("index.html"), file("page.js")];
/** SHOP: your table of orders. */
const orders = new Map();

/** Calls the payment service. */
async function call(route, fields) {
  const headers = { Authorization: `Bearer ${KEY}` };
  const response = await fetch(PAYMENT_SERVICE + route, { method: "POST", headers, body: new URLSearchParams(fields) });
  return response.json();
}

/** Orders at WeChat. The amount is the shop's and never comes from a browser. */
const pay = ({ order_no, total_fen }, address) =>
  call("/v1/pay/unified", {
    trade_type: "NATIVE",
    out_trade_no: order_no,
    body: "云南小粒咖啡",
    total_fee: String(total_fen),
    spbill_create_ip: address,
    // SHOP: the route that takes WeChat's notifications. The page needs none, because it asks.
    notify_url: `http://127.0.0.1:${PORT}/wxpay/notify`,
  });

async function query({ order_no }) {
  const answer = await call("/v1/pay/queryOrder", { out_trade_no: order_no });
  // Before the first attempt the payment service does not know the order.
  return answer.error?.code === "ORDERNOTEXIST" ? { data: { trade_state: "NOTPAY" } } : answer;
}

function showPage() {
  const order = { order_no: `OLD-${randomBytes(8).toString("hex")}`, total_fen: 6910, products: ["native"] };
  orders.set(order.order_no, order);
  // With a transport the token only names the order, for the element's own memory.
  const values = { TOKEN: order.order_no, ORDER: JSON.stringify(order), "https://pay.shop.example": PAYMENT_SERVICE };
  return Object.entries(values).reduce((filled, [name, value]) => filled.replace(name, value), page);
}

/** Answers a request: status, content type, body. */
async function answer({ method, url, socket }, body) {
  const json = async (status, fields) => [status, "application/json", JSON.stringify(await fields)];
  const order = orders.get(new URLSearchParams(body).get("order_no"));
  switch (`${method} ${url}`) {
    case "GET /":
      return [200, "text/html; charset=utf-8", showPage()];
    case "GET /page.js":
      return [200, "text/javascript; charset=utf-8", script];
    case "POST /shop/pay":
      if (order) return json(200, pay(order, socket.remoteAddress));
      break;
    case "POST /shop/query":
      if (order) return json(200, query(order));
      break;
  }
  return json(404, { error: { message: "no such page or order" } });
}

createServer(async (request, response) => {
  const failed = (fault) => {
    console.error(fault);
    return [502, "application/json", '{"error": {"message": "the payment service does not answer"}}'];
  };
  const [status, type, body] = await answer(request, await text(request)).catch(failed);
  response.writeHead(status, { "Cache-Control": "no-store", "Content-Type": type }).end(body);
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/`));
