// The benchmark of the QR code: `cargo xtask bench qr` runs it and gives it what it needs by the
// environment. It asserts no time: it prints what it measured, all subjects of one run side by side.
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";

import { Merchant } from "../merchant.js";
import { Chromium } from "./chromium.js";
import { ORDER_CALL_MS, Shop } from "./shop.js";
import { subjects } from "./subjects.js";
import { table, waterfall } from "./table.js";
import { PROFILES, timeToCode } from "./time-to-code.js";
import { timeToPaid } from "./time-to-paid.js";
import { heapOfWaiting, minuteOfWaiting } from "./waiting.js";

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask bench qr\``);
  return value;
};
const rounds = Number(setting("BENCH_ROUNDS"));
const payments = Number(setting("BENCH_PAYMENTS"));
/** Pages that ask every two seconds take long, and vary by their own step alone. */
const PAYMENTS_WHERE_ASKED = 10;

const require = createRequire(`${setting("BENCH_MODULES")}/`);
const { PNG } = require("pngjs");
const jsQR = require("jsqr");
const scan = (png) => {
  const { data, width, height } = PNG.sync.read(png);
  return jsQR(new Uint8ClampedArray(data), width, height)?.data;
};

const note = (text) => process.stderr.write(`${text}\n`);
const open = [];
let closing;
/** Ends all, once, in reverse order: each may still need the one before. */
const closeAll = () => (closing ??= closeInReverse());
async function closeInReverse() {
  while (open.length) await open.pop().close();
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => closeAll().finally(() => process.exit(1)));
}

try {
  const shop = await Shop.start(setting("BENCH_PAGES"), require("qrcode"));
  open.push(shop);
  const merchant = await Merchant.start({
    programs: setting("BENCH_PROGRAMS"),
    dist: setting("BENCH_DIST"),
    shopOrigin: shop.origin,
    orderCallMs: ORDER_CALL_MS,
  });
  open.push(merchant);
  shop.notificationsGoTo = merchant.origin;
  const browser = new Chromium(setting("CHROMIUM"));
  open.push(browser);
  const { product } = await browser.call("Browser.getVersion");
  const compared = subjects(shop, merchant);
  const figures = await measure(browser, compared);
  const files = {};
  for (const path of bundleOf(figures.code)) files[path] = await merchant.bytesOf(path);
  console.log(`cargo xtask bench qr --rounds ${rounds} --payments ${payments}   (${product}, ${availableParallelism()} processors)\n`);
  console.log(table(compared.map(({ name }) => name), figures, files));
  const { name: slowest } = PROFILES.at(-1);
  for (const name of ["element", "hosted"]) console.log(`\n${waterfall(`${name}, ${slowest}`, figures.code[slowest][name])}`);
} finally {
  await closeAll();
}

/** What a page with the element has loaded of the bundle before its code stood. */
function bundleOf(code) {
  const paths = code[PROFILES[0].name].element.flatMap(({ traffic }) => traffic.map(({ path }) => path));
  return new Set(paths.filter((path) => path.startsWith("/dist/")));
}

async function measure(browser, compared) {
  const figures = { code: {}, paid: {} };
  for (const profile of PROFILES) {
    note(`time to the code, ${profile.name}: ${rounds} rounds`);
    figures.code[profile.name] = await timeToCode(browser, compared, profile, { rounds, scan });
  }
  for (const subject of compared.filter(({ conditions }) => conditions.paid)) {
    const count = subject.asksEveryMs ? Math.min(payments, PAYMENTS_WHERE_ASKED) : payments;
    note(`time to paid, ${subject.name}: ${count} payments`);
    figures.paid[subject.name] = await timeToPaid(browser, subject, count);
  }
  note("a minute of waiting, seen and hidden");
  figures.waiting = await minuteOfWaiting(browser, compared);
  note("an hour of waiting, by a fast clock");
  figures.heap = await heapOfWaiting(browser, compared);
  return figures;
}
