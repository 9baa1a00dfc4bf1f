// What runs in each page before anything of the page: it reports the frame in which the code stands,
// the frame in which *paid* stands, and how far the page has shifted. It sets no timer, so that a
// waiting page is as quiet as it is by itself.

/** The name of the function by which a page reports. */
export const REPORT = "reportToBench";

/**
 * The script for a page.
 * @param {Record<string, string>} conditions by name, each an expression that is true from then on
 */
export function watchScript(conditions) {
  const functions = Object.entries(conditions).map(([name, condition]) => `${name}: () => ${condition}`);
  return `(${watch})({ ${functions.join(", ")} }, "${REPORT}");`;
}

/* This function is sent to the page as text: it names nothing of this file. */
function watch(conditions, reporter) {
  const report = window[reporter];
  const awaited = new Set(Object.keys(conditions));
  const wallClock = () => performance.timeOrigin + performance.now();
  const look = () => {
    for (const name of awaited) {
      if (!conditions[name]()) continue;
      awaited.delete(name);
      const changedAt = performance.now();
      // The frame that paints the change begins with this callback.
      requestAnimationFrame(() => report(JSON.stringify({ name, changedAt, paintedAt: performance.now(), wallClock: wallClock() })));
    }
  };
  const watchTree = (root) =>
    new MutationObserver(look).observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
  watchTree(document);
  // A picture is complete some time after it is in the page.
  document.addEventListener("load", look, true);
  const { attachShadow } = Element.prototype;
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options);
    watchTree(root);
    return root;
  };

  window.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) window.layoutShift += shift.value;
  }).observe({ type: "layout-shift", buffered: true });
}

/**
 * A clock that runs `speed` times as fast, for timers too. An answer that a server holds for `wait`
 * seconds is held for as long by this clock.
 */
export function fastClockScript(speed) {
  return `(${fastClock})(${speed});`;
}

function fastClock(speed) {
  const [realDate, realNow] = [Date, performance.now.bind(performance)];
  const [startDate, startNow] = [Date.now(), realNow()];
  const now = () => startNow + (realNow() - startNow) * speed;
  const date = () => Math.round(startDate + (realNow() - startNow) * speed);
  performance.now = now;
  window.Date = class extends realDate {
    constructor(...values) {
      super(...(values.length ? values : [date()]));
    }
    static now() {
      return date();
    }
  };
  const [realTimeout, realInterval, realFetch] = [window.setTimeout, window.setInterval, window.fetch];
  window.setTimeout = (callback, ms = 0, ...values) => realTimeout(callback, ms / speed, ...values);
  window.setInterval = (callback, ms = 0, ...values) => realInterval(callback, ms / speed, ...values);
  window.fetch = async (request, options) => {
    const url = new URL(request.url ?? request, location.href);
    const waitS = Number(url.searchParams.get("wait"));
    if (!waitS) return realFetch(request, options);
    url.searchParams.set("wait", "0");
    const signal = options?.signal ?? request.signal;
    await new Promise((resolve, reject) => {
      realTimeout(resolve, (waitS * 1000) / speed);
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
    return realFetch(request.url ? new Request(url, request) : url, options);
  };
}
