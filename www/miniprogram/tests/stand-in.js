/**
 * A stand-in for WeChat's `wx`, with a backend whose answers the test chooses, and timers that the test
 * controls.
 */

const SIX = {
  appId: "wx1",
  timeStamp: "1554208460",
  nonceStr: "n",
  package: "prepay_id=wx1",
  signType: "RSA",
  paySign: "c2ln",
};

const open = (more = {}) => ({ state: "open", order_no: "SHOP-0001", total_fen: 6910, attempt: 0, ...more });
const started = () => open({ attempt: 1, product: "mini_program", mini_program: SIX });
const paid = () => open({ state: "paid", attempt: 1 });
const refused = (code, more = {}) => ({ error: { code, message: "no", retryable: false, ...more } });

/**
 * @param {object} script
 * @param {Array<[number, any]>} script.reads the answers to the GETs; the last one repeats
 * @param {Array<[number, any]>} [script.starts] the same for each POST
 * @param {string} [script.cashier] "ok", "fail cancel", or "" for a cashier that stays open
 * @param {string[]} [script.codes] the login codes, in order
 */
function standIn({ reads, starts = [[200, started()]], cashier = "ok", codes = ["code-1", "code-2", "code-3", "code-4"] }) {
  const calls = { requests: [], payments: [], backs: 0, logins: 0 };
  const take = (list) => (list.length > 1 ? list.shift() : list[0]);
  const wx = {
    request({ url, method, data, header, success, fail }) {
      calls.requests.push({ url, method, data, header });
      const [statusCode, body] = take(method === "POST" ? starts : reads);
      queueMicrotask(() => (statusCode === 0 ? fail({ errMsg: "request:fail" }) : success({ statusCode, data: body })));
    },
    login({ success, fail }) {
      const code = codes[calls.logins] || "";
      calls.logins += 1;
      queueMicrotask(() => (code ? success({ code }) : fail({ errMsg: "login:fail" })));
    },
    requestPayment(options) {
      calls.payments.push(options);
      if (cashier === "ok") queueMicrotask(() => options.success({ errMsg: "requestPayment:ok" }));
      else if (cashier) queueMicrotask(() => options.fail({ errMsg: `requestPayment:${cashier}` }));
    },
    navigateBack() {
      calls.backs += 1;
    },
    getAppBaseInfo: () => ({ language: "en" }),
  };
  return { wx, calls };
}

/** Replaces the timers until `restore`. */
function fakeTime() {
  const { setTimeout, clearTimeout } = globalThis;
  const due = new Map();
  let now = 0;
  let last = 0;
  globalThis.setTimeout = (call, ms = 0) => {
    last += 1;
    due.set(last, { at: now + ms, call });
    return last;
  };
  globalThis.clearTimeout = (id) => due.delete(id);
  return {
    tick(ms) {
      now += ms;
      for (const [id, { at, call }] of [...due]) {
        if (at <= now && due.delete(id)) call();
      }
    },
    restore: () => Object.assign(globalThis, { setTimeout, clearTimeout }),
  };
}

module.exports = { fakeTime, SIX, open, started, paid, refused, standIn };
