// The benchmark of the merchant server: `cargo xtask bench server` runs it and gives it what it needs
// by the environment. It asserts no time: it prints the server's own CPU time for each kind of call,
// beside the price of an RSA signature and beside other clients that make the same order in the same
// run.
import { availableParallelism } from "node:os";

import { Merchant } from "../merchant.js";
import { aligned } from "../rows.js";
import { afterPayment } from "./after_payment.js";
import { attempts, orders, reads } from "./calls.js";
import { growth } from "./growth.js";
import { overload } from "./overload.js";
import { heldPolls } from "./polls.js";
import { peers } from "./peers.js";
import { fsyncUs, rsaUs } from "./signature.js";

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask bench server\``);
  return value;
};
const calls = Number(setting("BENCH_CALLS"));
const given = Number(setting("BENCH_CLIENTS"));
const polls = Number(setting("BENCH_POLLS"));
const rows = setting("BENCH_ROWS").split(",").map(Number);
const CALL_HEADING = ["", "per second", "server CPU, µs", "× two signatures", "WeChat's CPU, µs", "p50, ms", "p99, ms"];
const note = (text) => process.stderr.write(`${text}\n`);

// The address of an empty database of PostgreSQL, if the ledger is to be in one.
const database = process.env.BENCH_DATABASE;
const servers = { programs: setting("BENCH_PROGRAMS"), dist: setting("BENCH_DIST"), database };
const merchant = await Merchant.start(servers);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => merchant.close().finally(() => process.exit(1)));
}
// Each new order and attempt holds a connection to PostgreSQL, so a server admits fewer of them at once, and
// refuses the others.
const ADMITTED_ON_POSTGRES = 48;
const clients = database ? Math.min(given, ADMITTED_ON_POSTGRES) : given;
const options = `--calls ${calls} --clients ${clients}`;
const { signature: signing, verification } = rsaUs();
try {
  await (database ? onPostgres() : onSqlite());
} finally {
  await merchant.close();
}

/** The three calls of an order, on an empty database of PostgreSQL. */
async function onPostgres() {
  const kinds = await callsOfAnOrder();
  printHead(`${options} --database …`);
  console.log(aligned([CALL_HEADING, ...kinds.map(callRow)]));
}

async function onSqlite() {
  const kinds = await callsOfAnOrder();
  note("the same order by other clients");
  const others = await peers(merchant, {
    modules: setting("FOREIGN_NODE_MODULES"),
    python: setting("FOREIGN_PYTHON"),
    calls: Math.min(calls, 1_000),
  });
  note("the same by version 2 of WeChat's API");
  const older = await byVersion2();
  note("what follows a payment");
  const after = await afterPayment(servers, { calls });
  note(`${polls} polls are held`);
  const held = await heldPolls(merchant, polls);
  note("more orders are offered than the server records");
  const over = await overload(merchant);
  note(`the ledger grows: ${rows.join(", ")} orders`);
  const grown = await growth(merchant, rows, { clients });

  printHead(`${options} --polls ${polls} --rows ${rows.join(",")}`);
  kinds.push(["order, V2 merchant", older.created], ["JSAPI attempt, V2", older.started]);
  const parts = [["notification", after.notification], ["webhook of it", after.webhook], ["refund", after.refund]];
  console.log(aligned([
    CALL_HEADING,
    ...kinds.map(callRow),
    ...parts.map(([name, it]) => [name, "", it.serverUs, inSignatures(it.serverUs), it.simulatorUs ?? "", "", ""]),
    ...others.map(({ name, perSecond, cpuUs }) => [name, perSecond, cpuUs, inSignatures(cpuUs), "", "", ""]),
  ]));
  console.log(`\n${held.polls} held polls: ${held.kilobytesEach} KB each; payment to answered poll, ${held.payments} payments: p50 ${held.p50Ms} ms, p99 ${held.p99Ms} ms; ${held.queriesPerInterval} queries at WeChat for the order of all polls, in ${held.intervals} intervals`);
  console.log(`\noverload: ${over.offered} orders offered a second, ${over.created} created (p99 ${over.createdP99Ms} ms), ${over.refused} refused with 429 or 503 (p99 ${over.refusedP99Ms} ms), ${over.others} other answers; payment to answered poll meanwhile, ${over.payments} payments: p50 ${over.paidP50Ms} ms, p99 ${over.paidP99Ms} ms; memory +${over.grownMb} MB`);
  const growing = grown.map(({ rows: count, serverUs }) => [count, serverUs, (serverUs / grown[0].serverUs).toFixed(2)]);
  console.log(`\n${aligned([["orders in the ledger", "server CPU of an attempt, µs", "× the first"], ...growing])}`);
}

async function callsOfAnOrder() {
  note(`${calls} calls of each kind, ${clients} clients`);
  const created = await orders(merchant, { calls, clients });
  const started = await attempts(merchant, created.tokens, { clients });
  const read = await reads(merchant, created.tokens, { calls: 5 * calls, clients });
  return [["order", created], ["JSAPI attempt", started], ["status read", read]];
}

function printHead(given) {
  console.log(`cargo xtask bench server ${given}   (${availableParallelism()} processors)\n`);
  console.log(`one RSA-2048 signature, openssl speed: ${signing.toFixed(0)} µs; one verification: ${verification.toFixed(0)} µs; one commit written and synced: ${fsyncUs().toFixed(0)} µs of processor time\n`);
}

function callRow([name, it]) {
  return [name, it.perSecond, it.serverUs, inSignatures(it.serverUs), it.simulatorUs, it.p50Ms, it.p99Ms];
}

function inSignatures(cpuUs) {
  return (cpuUs / (2 * signing)).toFixed(2);
}

/** Orders and attempts of a merchant whose orders are made by version 2, with servers of its own. */
async function byVersion2() {
  const older = await Merchant.start({ ...servers, api: "v2" });
  try {
    const created = await orders(older, { calls, clients });
    return { created, started: await attempts(older, created.tokens, { clients }) };
  } finally {
    await older.close();
  }
}
