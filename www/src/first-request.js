// @ts-check
/**
 * The element's first request, sent while the WebAssembly is still on its way. At a desk, where a
 * payment begins without a click, it requests the code itself; anywhere else it reads the checkout.
 *
 * It decides nothing about a payment. The machine begins by reading the checkout, and gets this
 * answer as the answer to that: an answer about an attempt is an answer about the checkout, too. If
 * there is no usable answer, the machine's own request is sent, as if this one had never been. The
 * attempt is requested after number 0, so the backend starts none if another device has one, and
 * gives the same one again to a second request.
 */

/**
 * How long an answer can wait for the machine, in milliseconds. It says how long the code is valid,
 * and that time is already running.
 */
const FRESH_MS = 10_000;

const START = "/attempts";

/** Whether the buyer may be coming back from WeChat. */
function isReturn() {
  try {
    return /[?&]wechat_pay_/.test(location.search) || Object.keys(sessionStorage).some((key) => /^wechat-pay:away:/.test(key));
  } catch {
    // Without storage there is no mark.
    return false;
  }
}

/**
 * The first request of an element, under way.
 *
 * @typedef {object} FirstRequest
 * @property {Request} _request what was sent
 * @property {(request: Request) => Promise<Response | undefined> | undefined} _answerTo the answer
 * to this request of the machine's, or undefined in time; undefined at once if it is another
 * request
 * @property {() => void} _abort
 */

/**
 * Sends the first request. Sends nothing if the machine would send nothing now, or would refuse the
 * options.
 *
 * @param {string} token
 * @param {string} merchantApi
 * @param {boolean} expectsCode whether the scene will be Native, beyond doubt
 * @returns {FirstRequest | undefined}
 */
export function sendFirstRequest(token, merchantApi, expectsCode) {
  const base = merchantApi.replace(/\/+$/, "");
  const isValid = /^[\w.~-]{8,256}$/.test(token) && /^((https?:\/)?\/[^/\\?# ][^\\?# ]*)?$/.test(base);
  if (!merchantApi || !isValid || document.hidden || !navigator.onLine) return undefined;
  // Chrome has it since version 66. Without it, the request could not be taken back.
  if (typeof AbortController !== "function") return undefined;
  const controller = new AbortController();
  const isStart = expectsCode && !isReturn();
  // As the widget sends its own. The options inherit nothing from a polluted `Object.prototype`.
  const options = { __proto__: null, credentials: "omit", cache: "no-store", signal: controller.signal };
  if (isStart) Object.assign(options, { method: "POST", body: new URLSearchParams("product=native&after=0") });
  /** @type {Request} */
  let request;
  try {
    request = new Request(`${base}/checkouts/${token}${isStart ? START : ""}`, /** @type {any} */ (options));
  } catch {
    // The page has no base for a path: the widget reports it.
    return undefined;
  }
  const url = isStart ? request.url.slice(0, -START.length) : request.url;
  let answeredAt = 0;
  const answered = async () => {
    try {
      const response = await fetch(request);
      // An answer that breaks off in its middle is none.
      await response.clone().text();
      answeredAt = performance.now();
      // What a refused start means, the machine finds out by reading.
      return response.ok || !isStart ? response : undefined;
    } catch {
      return undefined;
    }
  };
  const sent = answered();
  const abort = () => controller.abort();
  return {
    _request: request,
    _answerTo(asked) {
      if (asked.method !== "GET" || asked.url !== url) return undefined;
      asked.signal.addEventListener("abort", abort);
      return sent.then((response) => (performance.now() - answeredAt < FRESH_MS ? response : undefined));
    },
    _abort: abort,
  };
}
