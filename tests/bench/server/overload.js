// More new orders than the server records: what is refused, how fast, what a buyer's payment takes
// meanwhile, and what it costs in memory.
import http from "node:http";

import { percentile } from "../rows.js";
import { startedOrder, timeToAnswer } from "./polls.js";
import { residentKb } from "./usage.js";

/** More callers at a time than the ledger has places (64) and places to wait (256). */
const CALLERS = 800;
const DURATION_MS = 10_000;
/** How long a refused caller waits: a tenth of what it is asked to, so that most calls are refused. */
const RETRY_MS = 100;
const PAYMENT_EVERY_MS = 100;

/** The figures of ten seconds of overload. */
export async function overload(merchant) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CALLERS });
  const endMs = performance.now() + DURATION_MS;
  const beforeKb = residentKb(merchant.serverPid);
  const figures = { created: [], refused: [], others: 0 };
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let order = 0; performance.now() < endMs; order += 1) {
      const begunMs = performance.now();
      const status = await create(merchant, agent, `OVER-${caller}-${order}`);
      const tookMs = performance.now() - begunMs;
      if (status === 201) figures.created.push(tookMs);
      else if (status === 429 || status === 503) {
        figures.refused.push(tookMs);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      } else figures.others += 1;
    }
  });
  const paidMs = await payments(merchant, endMs);
  await Promise.all(callers);
  agent.destroy();
  const perSecond = (count) => Math.round((count * 1000) / DURATION_MS);
  return {
    offered: perSecond(figures.created.length + figures.refused.length),
    created: perSecond(figures.created.length),
    createdP99Ms: percentile(figures.created, 0.99).toFixed(0),
    refused: perSecond(figures.refused.length),
    refusedP99Ms: figures.refused.length ? percentile(figures.refused, 0.99).toFixed(0) : "-",
    others: figures.others,
    payments: paidMs.length,
    paidP50Ms: percentile(paidMs, 0.5).toFixed(0),
    paidP99Ms: percentile(paidMs, 0.99).toFixed(0),
    grownMb: ((residentKb(merchant.serverPid) - beforeKb) / 1024).toFixed(1),
  };
}

/** Buyers whose orders exist pay one after the other; from the payment to their page's answer. */
async function payments(merchant, endMs) {
  const times = [];
  while (performance.now() < endMs - PAYMENT_EVERY_MS) {
    const order = await startedOrder(merchant).catch(() => undefined);
    if (!order) continue;
    times.push(await timeToAnswer(merchant, order, PAYMENT_EVERY_MS));
  }
  return times;
}

/** The status of a new order's answer. */
function create(merchant, agent, order_no) {
  const body = JSON.stringify({ order_no, total_fen: 100, description: "茶" });
  const { hostname: host, port } = new URL(merchant.origin);
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent, host, port, method: "POST", path: "/v1/orders",
      headers: {
        authorization: merchant.authorization,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      },
    });
    request.on("error", reject);
    request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
    request.end(body);
  });
}
