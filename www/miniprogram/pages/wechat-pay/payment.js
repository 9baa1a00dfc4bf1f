/**
 * One payment in a mini-program, from the token to the backend's word. It shows nothing: what the
 * buyer sees is told to `show`, by the name of a state.
 *
 * It never decides that money moved. What `wx.requestPayment` says is a hint, and only the
 * backend's answer is believed.
 */

const own = require("./own.js");

/** How often a backend that is not there, or not sure, is asked again by itself. */
const TRIES = 4;
/** Pause between such tries, in milliseconds, where the backend names none. */
const PAUSE_MS = 1500;
/** Longest pause that a backend can ask for, in milliseconds. */
const PAUSE_MAX_MS = 10000;
/** How often the backend is asked after the cashier said ok, before the buyer is told to look later. */
const CONFIRMATIONS = 10;
/** Pause between those questions, in milliseconds. */
const CONFIRM_MS = 2000;

const isObject = (value) => value !== null && typeof value === "object";

const TOKEN = /^[A-Za-z0-9._~-]{8,256}$/;

/**
 * @param {object} given
 * @param {any} given.wx WeChat's own object
 * @param {string} given.merchantApi base of the merchant API
 * @param {string} given.token the order's token
 * @param {(state: string) => void} given.show tells the buyer: starting, paying, confirming, paid,
 *   unpaid, later, elsewhere, closed, problem
 */
function createPayment({ wx, merchantApi, token, show }) {
  let isOver = false;
  let isBusy = false;
  /** The attempt that was seen last: a compare-and-set, so that nobody takes over silently. */
  let seen = 0;

  const tell = (state) => {
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
          // A proxy's page is a text, and a text has no fields.
          const data = own(response, "data");
          resolve({ status: own(response, "statusCode"), body: isObject(data) ? data : {} });
        },
        fail: () => resolve({ status: 0, body: {} }),
      });
    });
  }

  /** An answer of the contract, or an error in its form. */
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

  /** Asks until there is an answer or nothing helps. */
  async function patiently(once) {
    for (let tries = 1; ; tries += 1) {
      const result = await once();
      if (isOver || !result.error || !result.error.retryable || tries >= TRIES) return result;
      await sleep(result.error.pauseMs);
      if (isOver) return result;
    }
  }

  /** Whether the order is settled, and the buyer told so. */
  function isSettled(answer) {
    const state = own(answer, "state");
    if (state !== "paid" && state !== "closed") return false;
    tell(state);
    return true;
  }

  function login() {
    return new Promise((resolve) => {
      wx.login({ success: (result) => resolve(own(result, "code") || ""), fail: () => resolve("") });
    });
  }

  /** A login code is good for one use, so each try has its own. */
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

  /** Asks WeChat through the backend, as often as that is worth it. */
  async function confirm(times, otherwise) {
    tell("confirming");
    for (let asked = 0; asked < times && !isOver; asked += 1) {
      if (asked > 0) await sleep(CONFIRM_MS);
      if (isOver) return;
      const { answer } = await ask("GET", "?ask=1");
      if (isOver || isSettled(answer)) return;
    }
    tell(otherwise);
  }

  async function payOnce(takesOver) {
    tell("starting");
    if (!TOKEN.test(token)) {
      tell("problem");
      return;
    }
    const first = await patiently(() => ask("GET", ""));
    if (isOver || isSettled(first.answer)) return;
    if (first.error) {
      tell("problem");
      return;
    }
    let started = await patiently(start);
    if (!isOver && started.error && started.error.code === "PAYER_INVALID") started = await start();
    if (isOver || isSettled(started.answer)) return;
    if (started.error && started.error.code === "ATTEMPT_SUPERSEDED") {
      if (takesOver) {
        await payOnce(false);
      } else {
        tell("elsewhere");
      }
      return;
    }
    const parameters = !started.error && own(started.answer, "mini_program");
    if (!isObject(parameters)) {
      tell("problem");
      return;
    }
    tell("paying");
    const isOk = await openCashier(parameters);
    if (isOver) return;
    // `ok` is not to be relied on, and `cancel` stands for failures too: both are asked about.
    await confirm(isOk ? CONFIRMATIONS : 1, isOk ? "later" : "unpaid");
  }

  /** One thing at a time: a second tap while something is under way does nothing. */
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
    /** Pays. Also: tries again. */
    pay: () => alone(() => payOnce(false)),
    /** Pays here although another device is at it. */
    takeOver: () => alone(() => payOnce(true)),
    /** The buyer says that it is paid. */
    check: () => alone(() => confirm(1, "later")),
    /** The page is gone: nothing is shown or asked any more. */
    end: () => {
      isOver = true;
    },
  };
}

module.exports = { createPayment };
