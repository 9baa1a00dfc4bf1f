// Pages that wait: what a held poll costs, how soon it is answered once a buyer has paid, and how often
// WeChat is queried about one order however many pages ask.
import { once } from "node:events";
import { connect } from "node:net";

import { send } from "../merchant.js";
import { percentile } from "../rows.js";
import { settle } from "./ledger.js";
import { residentKb } from "./usage.js";

/** The orders over which the held polls are spread. */
const WAITING_ORDERS = 200;
const PAYMENTS = 200;
/** How many pages open their connection at once. */
const BURST = 200;
/** The server queries WeChat about one order at most once in this time. */
const QUERY_INTERVAL_MS = 2_000;
const INTERVALS = 3;
const SETTLE_MS = 4_000;

/** Holds this many polls, and measures while they are held. */
export async function heldPolls(merchant, polls) {
  const waiting = await Promise.all(Array.from({ length: WAITING_ORDERS }, () => startedOrder(merchant)));
  await pause(SETTLE_MS);
  const beforeKb = residentKb(merchant.serverPid);
  const pages = [];
  while (pages.length < polls) {
    const burst = Array.from({ length: Math.min(BURST, polls - pages.length) }, (_, index) => {
      return heldPage(merchant, waiting[(pages.length + index) % waiting.length]);
    });
    pages.push(...(await Promise.all(burst)));
  }
  await pause(SETTLE_MS);
  const eachKb = (residentKb(merchant.serverPid) - beforeKb) / polls;
  const paidMs = await timesToAnswer(merchant);
  for (const page of pages) page.destroy();
  const queries = await queriesOfManyPages(merchant, polls);
  return {
    polls,
    kilobytesEach: eachKb.toFixed(1),
    payments: paidMs.length,
    p50Ms: percentile(paidMs, 0.5).toFixed(1),
    p99Ms: percentile(paidMs, 0.99).toFixed(1),
    queriesPerInterval: queries,
    intervals: INTERVALS,
  };
}

/** An order with a Native attempt, and the version that its page has seen. */
export async function startedOrder(merchant) {
  const token = await merchant.order();
  const url = `${merchant.origin}/v1/checkouts/${token}`;
  const form = { headers: { "content-type": "application/x-www-form-urlencoded" }, text: "product=native" };
  const { code_url } = await send(`${url}/attempts`, form);
  const { version } = await send(url);
  return { token, code_url, version };
}

/** A page's connection on which the server holds a poll. */
async function heldPage(merchant, { token, version }) {
  const socket = connect(Number(new URL(merchant.origin).port), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(pollOf(`/v1/checkouts/${token}?wait=25&seen=${version}`, merchant));
  return socket;
}

/** A request as a browser sends it. */
function pollOf(path, merchant) {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `host: ${new URL(merchant.origin).host}`,
    "user-agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "accept: */*",
    "accept-encoding: gzip, deflate, br, zstd",
    `origin: ${merchant.origin}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** From the buyer's payment, which the simulator notifies at once, to the answered poll. */
async function timesToAnswer(merchant) {
  const times = [];
  for (let paid = 0; paid < PAYMENTS; paid += 1) {
    times.push(await timeToAnswer(merchant, await startedOrder(merchant), 5));
  }
  return times;
}

/** The same for one order, which is paid after its poll was held for a while. */
export async function timeToAnswer(merchant, order, heldMs) {
  const page = await heldPage(merchant, order);
  await pause(heldMs);
  const answered = once(page, "data").then(() => performance.now());
  const begunMs = performance.now();
  await merchant.pay(order.code_url);
  const endedMs = await answered;
  page.destroy();
  return endedMs - begunMs;
}

/** All pages of one order ask again and again; the queries at WeChat in one interval. */
async function queriesOfManyPages(merchant, pages) {
  await settle(merchant);
  const { token } = await startedOrder(merchant);
  await pause(QUERY_INTERVAL_MS);
  const before = await queries(merchant);
  const endMs = performance.now() + INTERVALS * QUERY_INTERVAL_MS;
  const page = async () => {
    while (performance.now() < endMs) {
      await fetch(`${merchant.origin}/v1/checkouts/${token}?ask=1`).then((answer) => answer.text());
    }
  };
  await Promise.all(Array.from({ length: Math.min(pages, BURST) }, page));
  return (((await queries(merchant)) - before) / INTERVALS).toFixed(1);
}

/** All queries of orders that the server has made. */
async function queries(merchant) {
  const answer = await fetch(`${merchant.origin}/metrics`, { headers: { authorization: merchant.authorization } });
  const rows = (await answer.text()).split("\n").filter((row) => row.startsWith("merchant_server_wechat_calls_total{"));
  return rows.filter((row) => row.includes('operation="query"')).reduce((sum, row) => sum + Number(row.split(" ").pop()), 0);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
