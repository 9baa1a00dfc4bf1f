// The shop's server side: it creates an order, and learns from a signed webhook that the order is paid.
// SHOP in a comment marks a part that a real shop replaces with its own.
import "server-only";
import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";

/** SHOP: your table of orders. `globalThis`, because Next loads this module more than once in a process. */
const orders = (globalThis.orders ??= new Map());

export const isPaid = (order_no) => orders.get(order_no);

/** Creates an order. Its price comes from the shop and never from a browser. */
export async function createOrder() {
  const merchantServer = process.env.MERCHANT_SERVER ?? "http://127.0.0.1:8080";
  const order_no = `NEXT-${randomBytes(8).toString("hex")}`;
  const response = await fetch(`${merchantServer}/v1/orders`, {
    method: "POST",
    headers: { Authorization: `Bearer ${required("KEY")}`, "Content-Type": "application/json" },
    body: JSON.stringify({ order_no, total_fen: 6910, description: "云南小粒咖啡" }),
  });
  if (!response.ok) throw new Error(await response.text());
  const { token } = await response.json();
  orders.set(order_no, false);
  return { order_no, token, merchant_api: `${merchantServer}/v1` };
}

/** Takes a message of the merchant server's. It needs the raw body: a signature covers its bytes. */
export function receive(body, headers) {
  const { type, data } = new Webhook(required("WEBHOOK_SECRET")).verify(body, headers);
  // A message can come twice, and an order is delivered once.
  if (type === "payment.succeeded" && orders.get(data.order_no) === false) {
    orders.set(data.order_no, true); // SHOP: deliver the order here.
  }
}

function required(name) {
  if (!process.env[name]) throw new Error(`${name} is not set`);
  return process.env[name];
}
