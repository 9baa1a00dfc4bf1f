/** Tests of the mini-program's page: it reads the path, shows texts and buttons, and goes back. */
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fakeTime, open, paid, standIn } = require("./stand-in.js");

/** Loads the page into a mini-program that has no other page. */
function page(script, query = { token: "0123456789abcdef" }) {
  const { wx, calls } = standIn(script);
  const file = require.resolve("../pages/wechat-pay/wechat-pay.js");
  delete require.cache[file];
  let it;
  globalThis.wx = wx;
  globalThis.Page = (options) => {
    it = { ...options, setData: (data) => Object.assign(it.data, data) };
  };
  require(file);
  it.data = { ...it.data };
  it.onLoad(query);
  return { it, calls };
}

async function turns(ms = 0) {
  for (let passed = 0; passed <= ms; passed += 100) {
    for (let micro = 0; micro < 40; micro += 1) await null;
    time.tick(100);
  }
}

const tap = (it, does) => it.tap({ currentTarget: { dataset: { does } } });

let time;
test.beforeEach(() => (time = fakeTime()));
test.afterEach(() => time.restore());

test("a payment is shown and the buyer returns to the web-view, once", async () => {
  const { it, calls } = page({ reads: [[200, open()], [200, paid()]] });
  await turns();
  assert.equal(it.data.state, "paid");
  assert.equal(it.data.text, "Payment received");
  assert.equal(calls.backs, 0, "the buyer sees the success first");
  await turns(2000);
  assert.equal(calls.backs, 1);
});

test("a cancelled payment can be retried or left", async () => {
  const { it, calls } = page({ reads: [[200, open()]], cashier: "fail cancel" });
  await turns();
  assert.deepEqual(it.data.buttons.map(({ does }) => does), ["pay", "back"]);
  tap(it, "pay");
  await turns();
  assert.equal(calls.payments.length, 2);
  tap(it, "back");
  assert.equal(calls.backs, 1);
});

test("a button with an unknown action does nothing", async () => {
  const { it, calls } = page({ reads: [[200, open()]], cashier: "" });
  await turns();
  tap(it, "end");
  tap(it, "constructor");
  assert.equal(it.data.state, "paying");
  assert.equal(calls.backs, 0);
});

test("a page that was closed shows and does nothing more", async () => {
  const { it, calls } = page({ reads: [[200, open()], [200, paid()]] });
  await turns();
  it.onUnload();
  await turns(3000);
  assert.equal(calls.backs, 0);
});

test("a path without a valid token is a problem and causes no request", async () => {
  for (const query of [{}, { token: "%E0%A4%A" }, { token: "%3Cscript%3E" }]) {
    const { it, calls } = page({ reads: [[200, open()]] }, query);
    await turns();
    assert.equal(it.data.state, "problem");
    assert.equal(calls.requests.length, 0);
  }
});
