/**
 * One payment in a mini-program, from the token to the backend's final answer. This module shows
 * nothing: it calls `show` with the name of a state.
 *
 * It never decides that money moved. The result of `wx.requestPayment` is a hint, and only the
 * backend's answer counts.
 */

const own = require("./own.js");

/** How often a call is tried while the backend is unreachable or in doubt. */
const TRIES = 4;
/** The pause between such tries, in milliseconds, if the backend gives none. */
const PAUSE_MS = 1500;
/** The longest pause that a backend can ask for, in milliseconds. */
const PAUSE_MAX_MS = 10000;
/** How often the backend is polled after the cashier's `ok`, before the page asks the buyer to check later. */
const CONFIRMATIONS = 10;
/** The pause between those polls, in milliseconds. */
const CONFIRM_MS = 2000;

const isObject = (value) => value !== null && typeof value === "object";

const TOKEN = /^[A-Za-z0-9._~-]{8,256}$/;

/**
 * @param {object} given
 * @param {any} given.wx WeChat's `wx` object
 * @param {string} given.merchantApi base address of the merchant API
 * @param {string} given.token the order's token
 * @param {(state: string) => void} given.show shows a state: starting, paying, confirming, paid,
 *   unpaid, later, elsewhere, closed, problem
 */
function createPayment({ wx, merchantApi, token, show }) {
  let isOver = false;
  let isBusy = false;
  /** The latest known attempt, for a compare-and-set: no attempt is taken over by accident. */
  let seen = 0;

  const report = (state) => {
    if (!isOver) show(state);
  };
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  function request(method, path, data) {
    return new Promise((resolve) => {
      wx.request({
        url: `${merchantApi}/checkouts/${token}${path}`,
        method,
        data,
        header: { "content-type": "application/x-www-form-urlencoded" },
        success: (response) => {
          // A proxy's error page is a string and has no fields.
          const data = own(response, "data");
          resolve({ status: own(response, "statusCode"), body: isObject(data) ? data : {} });
        },
        fail: () => resolve({ status: 0, body: {} }),
      });
    });
  }

  /** Calls the backend. Returns the contract's answer, or an error in the contract's form. */
  async function ask(method, path, data) {
    const { status, body } = await request(method, path, data);
    const attempt = own(body, "attempt");
    if (typeof attempt === "number") seen = attempt;
    const answer = typeof own(body, "state") === "string" ? body : null;
    if (status >= 200 && status < 300 && answer) return { answer, error: null };
    const error = own(body, "error");
    const retryable = own(error, "retryable");
    const isOfServer = status === 0 || status === 429 || status >= 500;
    return {
      answer,
      error: {
        code: String(own(error, "code") || "UNREACHABLE"),
        retryable: typeof retryable === "boolean" ? retryable : isOfServer,
        pauseMs: Math.min(Number(own(error, "retry_after_ms")) || PAUSE_MS, PAUSE_MAX_MS),
      },
    };
  }

  /** Retries until there is an answer, or until retrying does not help. */
  async function withRetries(once) {
    for (let tries = 1; ; tries += 1) {
      const result = await once();
      if (isOver || !result.error || !result.error.retryable || tries >= TRIES) return result;
      await sleep(result.error.pauseMs);
      if (isOver) return result;
    }
  }

  /** Whether the order is final; then its state is shown. */
  function isSettled(answer) {
    const state = own(answer, "state");
    if (state !== "paid" && state !== "closed") return false;
    report(state);
    return true;
  }

  function login() {
    return new Promise((resolve) => {
      wx.login({ success: (result) => resolve(own(result, "code") || ""), fail: () => resolve("") });
    });
  }

  /** A login code is valid once, so each try needs a new one. */
  async function start() {
    const code = await login();
    if (!code) return { answer: null, error: { code: "PAYER_UNAVAILABLE", retryable: true, pauseMs: PAUSE_MS } };
    return ask("POST", "/attempts", { product: "mini_program", after: seen, code });
  }

  function openCashier(parameters) {
    const text = (name) => String(own(parameters, name));
    return new Promise((resolve) => {
      wx.requestPayment({
        timeStamp: text("timeStamp"),
        nonceStr: text("nonceStr"),
        package: text("package"),
        signType: text("signType"),
        paySign: text("paySign"),
        success: () => resolve(true),
        fail: () => resolve(false),
      });
    });
  }

  /** Has the backend query WeChat, up to `times` times. */
  async function confirm(times, otherwise) {
    report("confirming");
    for (let asked = 0; asked < times && !isOver; asked += 1) {
      if (asked > 0) await sleep(CONFIRM_MS);
      if (isOver) return;
      const { answer } = await ask("GET", "?ask=1");
      if (isOver || isSettled(answer)) return;
    }
    report(otherwise);
  }

  async function payOnce(takesOver) {
    report("starting");
    if (!TOKEN.test(token)) {
      report("problem");
      return;
    }
    const first = await withRetries(() => ask("GET", ""));
    if (isOver || isSettled(first.answer)) return;
    if (first.error) {
      report("problem");
      return;
    }
    let started = await withRetries(start);
    if (!isOver && started.error && started.error.code === "PAYER_INVALID") started = await start();
    if (isOver || isSettled(started.answer)) return;
    if (started.error && started.error.code === "ATTEMPT_SUPERSEDED") {
      if (takesOver) {
        await payOnce(false);
      } else {
        report("elsewhere");
      }
      return;
    }
    const parameters = !started.error && own(started.answer, "mini_program");
    if (!isObject(parameters)) {
      report("problem");
      return;
    }
    report("paying");
    const isOk = await openCashier(parameters);
    if (isOver) return;
    // `ok` is not reliable, and `cancel` is also reported for failures, so both are confirmed.
    await confirm(isOk ? CONFIRMATIONS : 1, isOk ? "later" : "unpaid");
  }

  /** Runs one operation at a time: a second tap during an operation does nothing. */
  async function alone(work) {
    if (isBusy || isOver) return;
    isBusy = true;
    try {
      await work();
    } finally {
      isBusy = false;
    }
  }

  return {
    /** Pays, or tries again. */
    pay: () => alone(() => payOnce(false)),
    /** Pays here although another device has an attempt under way. */
    takeOver: () => alone(() => payOnce(true)),
    /** The buyer says that the order is paid. */
    check: () => alone(() => confirm(1, "later")),
    /** The page is closed: nothing is shown or requested any more. */
    end: () => {
      isOver = true;
    },
  };
}

module.exports = { createPayment };
