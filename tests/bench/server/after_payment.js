// What follows a payment, and what each part costs the server: WeChat's notification, the merchant's
// webhook about it, and a refund.
import http from "node:http";
import { once } from "node:events";

import { Merchant, send } from "../merchant.js";
import { measured } from "./calls.js";

/** How many buyers pay at a time. */
const BUYERS = 16;
/** How many orders wait for their payment at a time. */
const BATCH = 300;
const LOOK_MS = 50;

/** The figures of a notification, of a webhook and of a refund. */
export async function afterPayment(servers, { calls }) {
  const [notification, refund] = await paidAndRefunded(servers, calls);
  const target = await webhookTarget();
  const [withWebhook] = await paidAndRefunded({ ...servers, webhookTarget: target.url }, calls, target);
  target.close();
  const webhook = { serverUs: withWebhook.serverUs - notification.serverUs };
  return { notification, webhook, refund };
}

/** Pays and refunds orders at servers of their own; waits for the webhooks of a target. */
async function paidAndRefunded(setting, calls, target) {
  const merchant = await Merchant.start(setting);
  try {
    const notification = await paid(merchant, calls, target);
    const headers = { authorization: merchant.authorization };
    const refund = await measured(merchant, { calls, clients: BUYERS }, (index) =>
      send(`${merchant.origin}/v1/orders/BENCH-${index + 1}/refunds`, {
        headers,
        body: { refund_no: `R-${index}`, amount_fen: 100, reason: "bench" },
      }),
    );
    return [notification, refund];
  } finally {
    await merchant.close();
  }
}

/**
 * Orders are paid a few hundred at a time, soon after they were made: an order that waits for seconds
 * would be queried at WeChat, and the queries would count.
 */
async function paid(merchant, calls, target) {
  const figures = { serverUs: 0, simulatorUs: 0 };
  for (let begun = 0; begun < calls; begun += BATCH) {
    const count = Math.min(BATCH, calls - begun);
    const codes = [];
    for (let order = 0; order < count; order += 1) codes.push(await nativeCode(merchant));
    const batch = await measured(merchant, { calls: count, clients: BUYERS }, (index) => merchant.pay(codes[index]), async () => {
      await until(async () => (await paidOrders(merchant)) >= begun + count);
      await target?.received(begun + count);
    });
    figures.serverUs += Math.round((batch.serverUs * count) / calls);
    figures.simulatorUs += Math.round((batch.simulatorUs * count) / calls);
  }
  return figures;
}

async function nativeCode(merchant) {
  const token = await merchant.order();
  const form = { headers: { "content-type": "application/x-www-form-urlencoded" }, text: "product=native" };
  const { code_url } = await send(`${merchant.origin}/v1/checkouts/${token}/attempts`, form);
  return code_url;
}

/** How many orders the ledger has as paid. */
async function paidOrders(merchant) {
  const answer = await fetch(`${merchant.origin}/metrics`, { headers: { authorization: merchant.authorization } });
  return Number(/^merchant_server_orders\{state="paid"\} (\d+)$/m.exec(await answer.text())?.[1] ?? 0);
}

/** A backend that receives webhooks. */
async function webhookTarget() {
  let count = 0;
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => {
      count += 1;
      response.writeHead(204).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  const received = (wanted) => until(async () => count >= wanted);
  return { url: `http://127.0.0.1:${server.address().port}/webhooks`, received, close };
}

async function until(isTrue) {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
