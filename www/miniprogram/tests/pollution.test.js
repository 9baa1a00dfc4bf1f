/**
 * Tests in a mini-program with a changed `Object.prototype`: an inherited property never counts as an
 * answer of the backend, as a parameter of the cashier, or as a token.
 */
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fakeTime, open, paid, SIX, standIn } = require("./stand-in.js");

const POLLUTION = {
  state: "paid",
  attempt: 7,
  mini_program: { ...SIX, package: "prepay_id=foreign" },
  error: { code: "ATTEMPT_SUPERSEDED" },
  retryable: true,
  retry_after_ms: 9000,
  token: "token-of-somebody-else",
  code: "code-of-somebody-else",
};

/** Runs the page with this query while every object inherits the pollution, or only these names of it. */
async function polluted(script, query, names = Object.keys(POLLUTION)) {
  const time = fakeTime();
  for (const name of names) Object.prototype[name] = POLLUTION[name];
  try {
    const { wx, calls } = standIn(script);
    const file = require.resolve("../pages/wechat-pay/wechat-pay.js");
    delete require.cache[file];
    let page;
    const shown = [];
    globalThis.wx = wx;
    globalThis.Page = (options) => {
      page = { ...options, setData: ({ state, buttons }) => shown.push([state, buttons.map(({ does }) => does)]) };
    };
    require(file);
    page.onLoad(query);
    for (let turn = 0; turn < 200; turn += 1) {
      for (let micro = 0; micro < 20; micro += 1) await null;
      time.tick(500);
    }
    page.onUnload();
    return { shown, calls };
  } finally {
    for (const name of Object.keys(POLLUTION)) delete Object.prototype[name];
    time.restore();
  }
}

test("a payment works as without the pollution", async () => {
  const reads = [[200, open()], [200, open()], [200, paid()]];
  const { shown, calls } = await polluted({ reads }, { token: "0123456789abcdef" });
  assert.deepEqual(shown.map(([state]) => state), ["starting", "paying", "confirming", "paid"]);
  assert.equal(calls.requests[1].data.after, 0);
  assert.equal(calls.requests[1].data.code, "code-1");
  assert.equal(calls.payments[0].package, "prepay_id=wx1");
});

test("an answer without own fields is a problem", async () => {
  for (const [status, body] of [[200, {}], [200, "<html>"], [503, {}], [404, { error: {} }]]) {
    const { shown, calls } = await polluted({ reads: [[status, body]] }, { token: "0123456789abcdef" });
    assert.deepEqual(shown.at(-1), ["problem", ["pay", "back"]], JSON.stringify(body));
    assert.equal(calls.payments.length + calls.logins, 0);
  }
});

test("an attempt without parameters opens no cashier", async () => {
  const script = { reads: [[200, open()]], starts: [[200, open({ attempt: 1 })]] };
  const { shown, calls } = await polluted(script, { token: "0123456789abcdef" }, ["mini_program"]);
  assert.equal(shown.at(-1)[0], "problem");
  assert.equal(calls.payments.length, 0);
});

test("a page without a token requests no order", async () => {
  const { shown, calls } = await polluted({ reads: [[200, open()]] }, {});
  assert.equal(shown.at(-1)[0], "problem");
  assert.equal(calls.requests.length, 0);
});
