// The benchmark of the merchant server: `cargo xtask bench server` runs it and gives it what it needs
// by the environment. It asserts no time: it prints the server's own CPU time for each kind of call,
// beside the price of an RSA signature and beside other clients that make the same order in the same
// run.
import { availableParallelism } from "node:os";

import { Merchant } from "../merchant.js";
import { aligned } from "../rows.js";
import { attempts, orders, reads } from "./calls.js";
import { growth } from "./growth.js";
import { heldPolls } from "./polls.js";
import { peers } from "./peers.js";
import { signatureUs } from "./signature.js";

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask bench server\``);
  return value;
};
const calls = Number(setting("BENCH_CALLS"));
const clients = Number(setting("BENCH_CLIENTS"));
const polls = Number(setting("BENCH_POLLS"));
const rows = setting("BENCH_ROWS").split(",").map(Number);
const note = (text) => process.stderr.write(`${text}\n`);

const servers = { programs: setting("BENCH_PROGRAMS"), dist: setting("BENCH_DIST") };
const merchant = await Merchant.start(servers);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => merchant.close().finally(() => process.exit(1)));
}
try {
  const signing = signatureUs();
  note(`${calls} calls of each kind, ${clients} clients`);
  const created = await orders(merchant, { calls, clients });
  const started = await attempts(merchant, created.tokens, { clients });
  const read = await reads(merchant, created.tokens, { calls: 5 * calls, clients });
  note("the same order by other clients");
  const others = await peers(merchant, {
    modules: setting("FOREIGN_NODE_MODULES"),
    python: setting("FOREIGN_PYTHON"),
    calls: Math.min(calls, 1_000),
  });
  note(`${polls} polls are held`);
  const held = await heldPolls(merchant, polls);
  note(`the ledger grows: ${rows.join(", ")} orders`);
  const grown = await growth(merchant, rows, { clients });

  console.log(`cargo xtask bench server --calls ${calls} --clients ${clients} --polls ${polls} --rows ${rows.join(",")}   (${availableParallelism()} processors)\n`);
  console.log(`one RSA-2048 signature, openssl speed: ${signing.toFixed(0)} µs\n`);
  const kinds = [["order", created], ["JSAPI attempt", started], ["status read", read]];
  console.log(aligned([
    ["", "per second", "server CPU, µs", "× two signatures", "WeChat's CPU, µs", "p50, ms", "p99, ms"],
    ...kinds.map(([name, it]) => [name, it.perSecond, it.serverUs, (it.serverUs / (2 * signing)).toFixed(2), it.simulatorUs, it.p50Ms, it.p99Ms]),
    ...others.map(({ name, perSecond, cpuUs }) => [name, perSecond, cpuUs, (cpuUs / (2 * signing)).toFixed(2), "", "", ""]),
  ]));
  console.log(`\n${held.polls} held polls: ${held.kilobytesEach} KB each; notification to answered poll, ${held.payments} payments: p50 ${held.p50Ms} ms, p99 ${held.p99Ms} ms; ${held.queriesPerInterval} queries at WeChat for the order of all polls, in ${held.intervals} intervals`);
  console.log(`\n${aligned([["orders in the ledger", "server CPU of an attempt, µs", "× the first"], ...grown.map(({ rows: count, serverUs }) => [count, serverUs, (serverUs / grown[0].serverUs).toFixed(2)])])}`);
} finally {
  await merchant.close();
}
