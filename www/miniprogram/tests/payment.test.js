/** Tests of the mini-program's payment: its requests, its calls of `wx`, and the states it shows. */
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { createPayment } = require("../pages/wechat-pay/payment.js");
const { fakeTime, open, paid, refused, standIn, started } = require("./stand-in.js");

const TOKEN = "0123456789abcdef";

function payment(script, token = TOKEN) {
  const shown = [];
  const { wx, calls } = standIn(script);
  const merchantApi = "https://pay.shop.example/v1";
  return { ...createPayment({ wx, merchantApi, token, show: (state) => shown.push(state) }), shown, calls };
}

/** Runs everything that is ready, and lets time pass whenever nothing is. */
async function finish(promise) {
  let isDone = false;
  promise.then(() => (isDone = true));
  for (let turn = 0; turn < 500 && !isDone; turn += 1) {
    for (let micro = 0; micro < 20; micro += 1) await null;
    if (!isDone) time.tick(500);
  }
  assert.ok(isDone, "the payment does not end");
}

let time;
test.beforeEach(() => (time = fakeTime()));
test.afterEach(() => time.restore());

test("a payment is started with a login code, opened with five strings, and confirmed by the backend", async () => {
  const it = payment({ reads: [[200, open({ attempt: 3 })], [200, open({ attempt: 4 })], [200, paid()]] });
  await finish(it.pay());
  const [read, start, ...polls] = it.calls.requests;
  assert.equal(read.url, `https://pay.shop.example/v1/checkouts/${TOKEN}`);
  assert.deepEqual(start.data, { product: "mini_program", after: 3, code: "code-1" });
  assert.equal(start.header["content-type"], "application/x-www-form-urlencoded");
  const { success, fail, ...parameters } = it.calls.payments[0];
  assert.deepEqual(parameters, {
    timeStamp: "1554208460",
    nonceStr: "n",
    package: "prepay_id=wx1",
    signType: "RSA",
    paySign: "c2ln",
  });
  assert.ok(polls.length === 2 && polls.every(({ url }) => url.endsWith("?ask=1")));
  assert.deepEqual(it.shown, ["starting", "paying", "confirming", "paid"]);
});

test("a number among the parameters becomes a string", async () => {
  const body = started();
  body.mini_program = { ...body.mini_program, timeStamp: 1554208460 };
  const it = payment({ reads: [[200, open()], [200, paid()]], starts: [[200, body]] });
  await finish(it.pay());
  assert.equal(it.calls.payments[0].timeStamp, "1554208460");
});

test("an unconfirmed ok is never shown as paid", async () => {
  const it = payment({ reads: [[200, open()]] });
  await finish(it.pay());
  assert.equal(it.shown.at(-1), "later");
  assert.ok(!it.shown.includes("paid"));
});

test("a cancel causes a query, and a payment despite the cancel is found", async () => {
  const cancelled = payment({ reads: [[200, open()]], cashier: "fail cancel" });
  await finish(cancelled.pay());
  assert.equal(cancelled.shown.at(-1), "unpaid");
  const late = payment({ reads: [[200, open()], [200, paid()]], cashier: "fail cancel" });
  await finish(late.pay());
  assert.equal(late.shown.at(-1), "paid");
});

test("an order that is paid or closed opens no cashier", async () => {
  for (const state of ["paid", "closed"]) {
    const it = payment({ reads: [[200, open({ state })]] });
    await finish(it.pay());
    assert.equal(it.shown.at(-1), state);
    assert.equal(it.calls.payments.length + it.calls.logins, 0);
  }
});

test("another device's attempt is taken over only if the buyer asks for it", async () => {
  const theirs = { ...open({ attempt: 2, product: "native" }), ...refused("ATTEMPT_SUPERSEDED") };
  const it = payment({ reads: [[200, open()], [200, open({ attempt: 2 })], [200, paid()]], starts: [[409, theirs], [200, started()]] });
  await finish(it.pay());
  assert.equal(it.shown.at(-1), "elsewhere");
  assert.equal(it.calls.payments.length, 0);
  await finish(it.takeOver());
  assert.equal(it.calls.requests.filter(({ method }) => method === "POST").at(-1).data.after, 2);
  assert.equal(it.shown.at(-1), "paid");
});

test("an invalid login code is replaced once", async () => {
  const once = payment({ reads: [[200, open()], [200, paid()]], starts: [[422, refused("PAYER_INVALID")], [200, started()]] });
  await finish(once.pay());
  assert.equal(once.shown.at(-1), "paid");
  const always = payment({ reads: [[200, open()]], starts: [[422, refused("PAYER_INVALID")]] });
  await finish(always.pay());
  assert.equal(always.shown.at(-1), "problem");
  assert.equal(always.calls.logins, 2);
});

test("a backend in doubt or unreachable is retried with a new code, a limited number of times", async () => {
  const doubt = [503, refused("ATTEMPT_IN_DOUBT", { retryable: true, retry_after_ms: 3000 })];
  const it = payment({ reads: [[200, open()], [200, paid()]], starts: [doubt, [0, null], [200, started()]] });
  await finish(it.pay());
  assert.equal(it.shown.at(-1), "paid");
  const codes = it.calls.requests.filter(({ method }) => method === "POST").map(({ data }) => data.code);
  assert.deepEqual(codes, ["code-1", "code-2", "code-3"]);
  const down = payment({ reads: [[0, null]] });
  await finish(down.pay());
  assert.equal(down.shown.at(-1), "problem");
  assert.equal(down.calls.requests.length, 4);
});

test("a hostile answer is a problem and opens nothing", async () => {
  for (const body of [null, "<html>", 7, [], open({ mini_program: "javascript:alert(1)" }), { state: 5 }]) {
    const it = payment({ reads: [[200, open()]], starts: [[200, body]] });
    await finish(it.pay());
    assert.equal(it.shown.at(-1), "problem", JSON.stringify(body));
    assert.equal(it.calls.payments.length, 0);
  }
});

test("an invalid token causes no request", async () => {
  for (const token of ["", "short", "../../orders", "0123456789?x=1"]) {
    const it = payment({ reads: [[200, open()]] }, token);
    await finish(it.pay());
    assert.deepEqual(it.shown, ["starting", "problem"]);
    assert.equal(it.calls.requests.length, 0);
  }
});

test("a second tap during an operation does nothing", async () => {
  const it = payment({ reads: [[200, open()], [200, paid()]] });
  await finish(Promise.all([it.pay(), it.pay(), it.takeOver(), it.check()]));
  assert.equal(it.calls.payments.length, 1);
});

test("after the end nothing is shown or requested", async () => {
  const it = payment({ reads: [[200, open()]] });
  const paying = it.pay();
  it.end();
  await finish(paying);
  assert.deepEqual(it.shown, ["starting"]);
  assert.equal(it.calls.payments.length, 0);
  await finish(it.pay());
  assert.equal(it.calls.requests.length, 1);
});
