// A shop's backend on Node. It creates an order, and learns from a signed webhook that the order is paid.
//
//   KEY=… WEBHOOK_SECRET=whsec_… npm start
//
// Then open http://127.0.0.1:8001/ . MERCHANT_SERVER and PORT name other addresses.
// SHOP in a comment marks a part that a real shop replaces with its own. Node 20 or newer.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const { KEY, WEBHOOK_SECRET, MERCHANT_SERVER = "http://127.0.0.1:8080", PORT = "8001" } = process.env;
for (const [name, value] of Object.entries({ KEY, WEBHOOK_SECRET })) {
  if (!value) throw new Error(`${name} is not set`);
}
const page = readFileSync(new URL("../../html/index.html", import.meta.url), "utf8");
const webhook = new Webhook(WEBHOOK_SECRET);
/** SHOP: your table of orders. It has for each order number whether the order is paid. */
const orders = new Map();

/** Creates an order. Its price comes from the shop and never from a browser. */
async function createOrder() {
  const order_no = `NODE-${randomBytes(8).toString("hex")}`;
  const response = await fetch(`${MERCHANT_SERVER}/v1/orders`, {
    method: "POST",
    headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({ order_no, total_fen: 6910, description: "云南小粒咖啡" }),
  });
  if (!response.ok) throw new Error(await response.text());
  const { token } = await response.json();
  orders.set(order_no, false);
  return { order_no, token, merchant_api: `${MERCHANT_SERVER}/v1` };
}

/** Takes a message of the merchant server's. It needs the raw body: a signature covers its bytes. */
function receive(body, headers) {
  const { type, data } = webhook.verify(body, headers); // throws unless the signature is right and new
  // A message can come twice, and an order is delivered once.
  if (type === "payment.succeeded" && orders.get(data.order_no) === false) {
    orders.set(data.order_no, true); // SHOP: deliver the order here.
  }
}

/** Answers a request: status, content type, body. */
async function answer({ method, url, headers }, body) {
  const order_no = url.startsWith("/orders/") ? url.slice("/orders/".length) : undefined;
  if (method === "POST" && url === "/webhooks") {
    try {
      receive(body, headers);
    } catch (refusal) {
      return [401, "text/plain", refusal.message];
    }
    return [204];
  }
  if (method === "POST" && url === "/orders") return json(201, await createOrder());
  if (method === "GET" && orders.has(order_no)) return json(200, { order_no, paid: orders.get(order_no) });
  if (method === "GET" && url === "/") {
    // SHOP: your own page. Here each visit creates an order.
    const { token } = await createOrder();
    const filled = page.replaceAll("TOKEN", token).replaceAll("https://pay.shop.example", MERCHANT_SERVER);
    return [200, "text/html; charset=utf-8", filled];
  }
  return json(404, { error: "no such page" });
}

const json = (status, fields) => [status, "application/json", JSON.stringify(fields)];

createServer(async (request, response) => {
  const failed = (fault) => {
    console.error(fault);
    return json(502, { error: "the order could not be created" });
  };
  const [status, type, body] = await answer(request, await text(request)).catch(failed);
  response.writeHead(status, { "Cache-Control": "no-store", ...(type && { "Content-Type": type }) }).end(body);
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/`));
