// The till. It decides nothing about money: each screen shows what the server says about the order. The
// number of the order is made once for a sale and kept in this browser until the cashier begins the next
// one. So a lost connection, a reload or a crash continues the same order, and the server charges one
// order once.

import { byHand, byId, catchScanner, each, fillReceipt, notice, sentence, show } from "./screen.js";
import { call, isLost, isOfKey } from "./server.js";
import { fenOf, isCode, newOrderNo, typed } from "./values.js";

// The key is forgotten with the window. The sale stays: it holds no key and no payment code.
const SESSION = "till.session";
const SALE = "till.sale";
// A buyer's code is valid for a minute. After this time it is not sent again.
const CODE_MS = 50000;
const LOOK_EVERY_MS = 1000;
// The server takes an unpaid payment back after half a minute. Later the result is in doubt.
const DOUBT_AFTER_MS = 45000;
// How long the cashier waits for a reversal before the till offers to go on without it.
const ALONE_AFTER_MS = 30000;

// What the cashier typed: {key, store, device, description, subMchid}.
let session = null;
// {order, after, isSent, isClosing, outcome, paid}; `after` is the last attempt that was seen.
let sale = null;
// The code that is being charged: {code, after, untilMs}. It is only in memory.
let pending = null;
let waitsSinceMs = 0;
// Grows with each step of the cashier: an answer to an earlier step is ignored.
let turn = 0;
let timer = 0;
let awaited = null;

start();

function start() {
  if (!canStore()) return notice("NO_STORAGE");
  listen();
  session = read(sessionStorage, SESSION);
  if (session) open();
  else present("sign-in");
}

function listen() {
  byId("sign-in").addEventListener("submit", handled(signIn));
  byId("amount").addEventListener("submit", handled(begin));
  byId("scan").addEventListener("submit", handled(scan));
  byId("sign-out").addEventListener("click", () => signOut());
  byId("print").addEventListener("click", () => window.print());
  each("[data-cancel]", (button) => button.addEventListener("click", byHand(cancel)));
  each("[data-next]", (button) => button.addEventListener("click", byHand(next)));
  document.addEventListener("keydown", catchScanner);
  window.addEventListener("online", () => { if (timer) again(0, awaited); });
  // Another window of this browser is the same till.
  window.addEventListener("storage", (event) => { if (event.key === SALE && session) open(); });
}

// Continues the sale that is stored, or waits for the next one.
function open() {
  step();
  pending = null;
  sale = read(localStorage, SALE);
  if (!sale) return present("amount");
  if (sale.outcome) return present(sale.outcome);
  if (sale.isClosing) return close();
  present("paying");
  look("UNFINISHED");
}

// Signing in and out.

function signIn() {
  const offered = {
    key: byId("key").value.trim(),
    store: byId("store").value.trim(),
    device: byId("device").value.trim(),
    description: byId("description").value.trim(),
    subMchid: byId("sub-mchid").value,
  };
  step();
  ask("GET", "/till/settings", null, offered.key).then((reply) => {
    if (reply.field === "scopes") return notice("KEY_TOO_STRONG");
    if (!reply.ok) return notice(isOfKey(reply) ? reply.code : "NO_CONNECTION");
    if (!reply.body.offers_code_pay) return notice("NOT_OFFERED");
    const subMchids = reply.body.sub_mchids;
    if (subMchids.length > 0 && !subMchids.includes(offered.subMchid)) return offer(subMchids);
    session = offered;
    byId("key").value = "";
    store(sessionStorage, SESSION, session);
    open();
  });
}

// A service provider sells for one of its sub-merchants.
function offer(subMchids) {
  const select = byId("sub-mchid");
  select.textContent = "";
  subMchids.forEach((subMchid) => select.add(new Option(subMchid, subMchid)));
  byId("sub").hidden = false;
  notice("");
  if (subMchids.length === 1) signIn();
  else select.focus();
}

// The sale stays stored, and continues after the next signing in.
function signOut(reason) {
  step();
  session = null;
  pending = null;
  sessionStorage.removeItem(SESSION);
  present("sign-in", reason);
}

// A sale, from its amount to its outcome.

function begin() {
  // Another window of this browser may have begun a sale.
  if (read(localStorage, SALE)) return open();
  const text = typed(byId("yuan").value);
  const totalFen = fenOf(text);
  if (isCode(text)) byId("yuan").value = "";
  if (isCode(text)) return notice("CODE_AS_AMOUNT");
  if (!totalFen) return notice("AMOUNT");
  byId("yuan").value = "";
  step();
  const order = {
    order_no: newOrderNo(),
    total_fen: totalFen,
    description: session.description,
    products: ["code_pay"],
  };
  if (session.subMchid) order.sub_mchid = session.subMchid;
  sale = { order, after: 0 };
  keep();
  present("scan");
}

function scan() {
  const code = typed(byId("code").value);
  byId("code").value = "";
  if (!isCode(code)) return notice("NOT_A_CODE");
  step();
  sale.isSent = true;
  keep();
  pending = { code, after: sale.after, untilMs: performance.now() + CODE_MS };
  present("paying");
  placeOrder();
}

// The same order with the same number is the same order: it can be sent again.
function placeOrder() {
  ask("POST", "/v1/orders", sale.order).then((reply) => {
    if (reply.ok) return sendCode();
    if (isLost(reply)) return whileCodeIsFresh(placeOrder, "NO_CONNECTION");
    pending = null;
    present("scan", nameOf(reply), reply.code);
  });
}

// The server sends a code to WeChat once, however often it gets this call.
function sendCode() {
  const scene = { store_info: { out_id: session.store } };
  if (session.device) scene.device_id = session.device;
  const attempt = { product: "code_pay", auth_code: pending.code, after: pending.after, scene_info: scene };
  ask("POST", path("/attempts"), attempt).then((reply) => {
    if (reply.ok || reply.code === "ATTEMPT_SUPERSEDED") return look("NOT_PAID");
    if (isLost(reply)) return again(reply.retryMs, () => look("NOT_PAID"));
    // The code was refused. An earlier attempt may still be open, so the order is read.
    pending = null;
    look(nameOf(reply), reply.wechatCode || reply.code);
  });
}

function whileCodeIsFresh(send, reason) {
  if (performance.now() < pending.untilMs) return again(LOOK_EVERY_MS, send);
  pending = null;
  present("scan", reason);
}

// Reads the order until its state is known. `reason`: why the cashier may have to scan again.
function look(reason, code) {
  ask("GET", path(""), null).then((reply) => {
    if (reply.ok) return judge(reply.body, reason, code);
    if (reply.code === "ORDER_UNKNOWN" && pending) return whileCodeIsFresh(placeOrder, "NOT_SENT");
    if (reply.code === "ORDER_UNKNOWN") return present("scan", reason, code);
    if (isLong(DOUBT_AFTER_MS)) present("doubt");
    again(reply.retryMs, () => look(reason, code));
  });
}

function judge(order, reason, code) {
  if (order.state === "paid") return finish("paid", order);
  if (order.state === "closed") return finish("ended");
  if (order.is_closing) {
    sale.isClosing = true;
    keep();
    return close();
  }
  const last = order.attempts[order.attempts.length - 1];
  const number = last ? last.number : 0;
  if (last && (last.state === "prepared" || last.state === "open")) {
    if (isLong(DOUBT_AFTER_MS)) present("doubt");
    else present(last.state === "open" ? "password" : "paying");
    return again(LOOK_EVERY_MS, () => look("NOT_PAID"));
  }
  // The call with the code has not arrived.
  if (pending && number === pending.after) return whileCodeIsFresh(sendCode, "NOT_SENT");
  pending = null;
  sale.after = number;
  keep();
  present("scan", reason, code);
}

// The cashier ends the sale: the server takes back what was begun, and closes the order.
function cancel() {
  step();
  pending = null;
  if (!sale.isSent) return finish("ended");
  sale.isClosing = true;
  keep();
  close();
}

function close() {
  present("reversing");
  ask("POST", path("/close"), {}).then((reply) => {
    // An order that never arrived has charged nothing.
    if (reply.ok || reply.code === "ORDER_UNKNOWN") return finish("ended");
    if (reply.code === "ORDER_PAID") {
      sale.isClosing = false;
      keep();
      return look("NOT_PAID");
    }
    // The server has recorded that the order ends, and completes that without the till.
    if (reply.code === "ATTEMPT_IN_DOUBT" && isLong(ALONE_AFTER_MS)) byId("alone").hidden = false;
    again(reply.retryMs, close);
  });
}

function finish(outcome, order) {
  pending = null;
  sale.outcome = outcome;
  if (order) {
    sale.paid = { fen: order.payer_total_fen, transaction: order.transaction_id, time: order.success_time };
  }
  keep();
  present(outcome);
}

function next() {
  step();
  sale = null;
  pending = null;
  localStorage.removeItem(SALE);
  present("amount");
}

// Calls and waiting.

// A reply to an earlier step never comes. A key that is refused ends the session.
function ask(method, address, body, key) {
  const during = turn;
  return new Promise((resolve) => {
    call(method, address, key || session.key, body).then((reply) => {
      if (during !== turn) return;
      byId("offline").hidden = reply.status !== 0 || !sale;
      if (isOfKey(reply) && session) signOut(reply.code);
      else resolve(reply);
    });
  });
}

// The notice of a refusal: WeChat's reason if the page has a sentence for it, else the server's.
function nameOf(reply) {
  const known = [reply.wechatCode, reply.code].find((name) => name && sentence(name));
  return known || (reply.code === "WECHAT_REFUSED" ? "REFUSED" : "NOT_ACCEPTED");
}

function again(afterMs, what) {
  awaited = what;
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = 0;
    what();
  }, afterMs === undefined ? LOOK_EVERY_MS : afterMs);
}

// The cashier did something: what was awaited does not count any more.
function step() {
  turn += 1;
  clearTimeout(timer);
  timer = 0;
  waitsSinceMs = performance.now();
}

function isLong(afterMs) {
  return performance.now() - waitsSinceMs > afterMs;
}

function present(name, reason, code) {
  byId("sign-out").hidden = !session;
  byId("place").textContent = session ? [session.store, session.device].filter(Boolean).join(" · ") : "";
  if (name === "paid") fillReceipt(session, sale.order, sale.paid);
  show(name, name !== "sign-in" && sale ? sale.order : null, reason, code);
}

function path(end) {
  return "/v1/orders/" + encodeURIComponent(sale.order.order_no) + end;
}

function handled(act) {
  return (event) => {
    event.preventDefault();
    act();
  };
}

// Storage.

function keep() {
  store(localStorage, SALE, sale);
}

function store(place, name, value) {
  place.setItem(name, JSON.stringify(value));
}

function read(place, name) {
  try {
    return JSON.parse(place.getItem(name));
  } catch (error) {
    return null;
  }
}

function canStore() {
  try {
    store(localStorage, "till.probe", 1);
    localStorage.removeItem("till.probe");
    return true;
  } catch (error) {
    return false;
  }
}
