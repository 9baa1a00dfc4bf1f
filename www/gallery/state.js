// @ts-check
/**
 * Shows one state of the element. The script sets up the browser and the backend of the fixture, controls
 * the time, and then leaves the element alone. Nothing here reaches into the widget: it gets to the state
 * only by what a page, a buyer and a backend can do.
 */
import { AGENTS, ARABIC, STATES } from "./states.js";

const query = new URLSearchParams(location.search);
const fixture = STATES.find(({ name }) => name === query.get("state")) || STATES[0];
const locale = query.get("locale") || "zh-CN";

/** A page that stays has no longer timers, so the element does not leave. */
const STAYS_MS = 1_000;

document.documentElement.lang = locale;
document.documentElement.dir = locale === "ar" ? "rtl" : "ltr";
document.documentElement.dataset.theme = query.get("theme") || "light";

const clock = new (class {
  constructor() {
    this._skipped = 0;
    this._now = performance.now.bind(performance);
    /** @type {Map<number, {at: number, call: () => void}>} */
    this._timers = new Map();
    const set = window.setTimeout.bind(window);
    const clear = window.clearTimeout.bind(window);
    performance.now = () => this._now() + this._skipped;
    Object.assign(window, {
      /** @param {() => void} call @param {number} ms */
      setTimeout: (call, ms) => {
        if (fixture.stays && ms > STAYS_MS) return 0;
        const id = set(() => this._fire(id), ms);
        this._timers.set(id, { at: performance.now() + ms, call });
        return id;
      },
      /** @param {number} id */
      clearTimeout: (id) => {
        this._timers.delete(id);
        clear(id);
      },
    });
    this._wait = () => new Promise((resolve) => set(resolve, 0));
  }

  /** @param {number} id */
  _fire(id) {
    const timer = this._timers.get(id);
    this._timers.delete(id);
    if (timer) timer.call();
  }

  /**
   * Lets milliseconds pass, a second at a time, as in a visible page.
   * @param {number} ms
   */
  async pass(ms) {
    for (let left = ms; left > 0; left -= 1000) {
      this._skipped += Math.min(left, 1000);
      for (const [id, { at }] of [...this._timers]) if (at <= performance.now()) this._fire(id);
      await this.turn();
    }
  }

  /** Runs everything that is ready. */
  async turn() {
    for (let i = 0; i < 4; i += 1) await this._wait();
  }
})();

const agent = AGENTS[fixture.agent || "desktop"];
Object.defineProperty(navigator, "userAgent", { get: () => agent });
Object.defineProperty(navigator, "maxTouchPoints", { get: () => (/Mobile|Android/.test(agent) ? 5 : 0) });
// All states share one tab: the departure mark of one state would look like a return in another.
const marks = { getItem: (/** @type {string} */ key) => (/reloaded/.test(key) ? "1" : null), setItem() {}, removeItem() {} };
Object.defineProperty(window, "sessionStorage", { get: () => (fixture.isReloaded ? marks : null) });
// In the index each state is in a frame, where WeChat's pages do not work; a shop's page is not.
if (!fixture.isFramed) Object.defineProperty(window, "parent", { get: () => window });
if (fixture.address) history.replaceState(null, "", `${location.pathname}${location.search}&${fixture.address}`);
if (fixture.bridge) Object.assign(window, { WeixinJSBridge: { invoke: fixture.bridge } });
// A state that navigates to WeChat stays visible.
const navigation = /** @type {any} */ (window).navigation;
if (navigation) navigation.addEventListener("navigate", (/** @type {Event} */ event) => event.preventDefault());

const bundle = /** @type {string} */ ("../dist/wechat-pay.js");
await import(bundle);

const element = /** @type {import("../src/wechat-pay").WechatPayElement} */ (document.createElement("wechat-pay"));
Object.assign(element, {
  token: "gallery-0123456789",
  locale,
  messages: locale === "ar" ? ARABIC : null,
  supportUrl: "https://shop.example/help",
  checkoutUrl: "https://shop.example/checkout",
  transport: { status: pending, start: pending, ...fixture.transport },
  ...fixture.properties,
});
const emitted = (/** @type {string} */ type) =>
  new Promise((resolve) => element.addEventListener(type, resolve, { once: true }));
const first = Promise.race([emitted("state-change"), emitted("problem")]);
const layout = query.get("layout");
if (layout) element.setAttribute("layout", layout);
document.querySelector("main")?.append(element);
await first;
await clock.turn();
// The steps begin at the first state that follows, where one follows.
for (let turns = 0; turns < 30 && stateOf(element) === "loading"; turns += 1) await clock.turn();
for (const step of fixture.steps || []) {
  await (typeof step === "number" ? clock.pass(step) : step(element));
  await clock.turn();
}
document.documentElement.dataset.settled = query.toString();

/** @param {HTMLElement} element */
function stateOf(element) {
  const base = /** @type {HTMLElement | null | undefined} */ (element.shadowRoot?.querySelector("[part~=base]"));
  return base?.dataset.state;
}

/** An answer that never arrives. */
function pending() {
  return new Promise(() => {});
}
