// @ts-check
/**
 * The class of `<wechat-pay>`: attributes in, DOM events out, and a shadow root for the widget.
 * It knows nothing of payments. What a Rust struct cannot do is here (extend HTMLElement), and
 * what has to work when the WebAssembly does not (`#fail`'s way out for the buyer).
 */

/** @typedef {import("./wechat-pay").Bindings} Bindings */
/** @typedef {import("./wechat-pay").DefineOptions} DefineOptions */

/** Attribute -> property. */
const ATTRIBUTES = {
  token: "token",
  "merchant-api": "merchantApi",
  scene: "scene",
  locale: "locale",
  "success-url": "successUrl",
  "return-url": "returnUrl",
  "auto-start": "autoStart",
  "checkout-url": "checkoutUrl",
};

/** What the buyer reads when the widget itself cannot speak. */
const FALLBACK_WORDS = {
  zh: { title: "支付组件未能加载", advice: "请刷新页面重试，或联系商家", retry: "刷新页面", open: "打开收银台" },
  en: { title: "The payment could not load", advice: "Reload the page, or contact the shop", retry: "Reload", open: "Open the checkout page" },
};

const FALLBACK_STYLE =
  ":host{display:block}.fallback{font:16px/1.6 system-ui,sans-serif;text-align:center;padding:20px 16px;border:1px solid #8a8a8a;border-radius:12px;max-width:420px;margin:0 auto}" +
  ".fallback b{display:block;font-size:20px}.fallback a,.fallback button{display:inline-block;min-height:48px;margin:12px 4px 0;padding:10px 20px;border:1px solid #8a8a8a;border-radius:8px;background:none;font:inherit;color:inherit;cursor:pointer}";

/**
 * Defines the element, once: a second call gives the class that is there.
 *
 * @param {DefineOptions} options
 * @returns {CustomElementConstructor}
 */
export function define({ loadBindings, tag = "wechat-pay" }) {
  const defined = customElements.get(tag);
  if (defined) return defined;

  /** Elements that are in a page; all of them stand on one WebAssembly instance. */
  const connected = new Set();
  let isBroken = false;

  class WechatPayElement extends HTMLElement {
    static get observedAttributes() {
      return Object.keys(ATTRIBUTES);
    }

    constructor() {
      super();
      /** Grows with each start and stop, so that a load that ends late finds out. */
      this._turn = 0;
      /** @type {import("./wechat-pay").Embedded | null} */
      this._embedded = null;
      this._isStarted = false;
    }

    connectedCallback() {
      // A property that was set before the class was there hides the accessor: set it again.
      for (const property of Object.values(ATTRIBUTES)) {
        if (Object.prototype.hasOwnProperty.call(this, property)) {
          const value = /** @type {any} */ (this)[property];
          delete (/** @type {any} */ (this)[property]);
          /** @type {any} */ (this)[property] = value;
        }
      }
      connected.add(this);
      // An element that was only moved goes on; so do attributes that are set one after another.
      if (!this._isStarted) this._restart();
    }

    disconnectedCallback() {
      queueMicrotask(() => {
        if (this.isConnected) return;
        connected.delete(this);
        this._isStarted = false;
        this._stop();
      });
    }

    /**
     * @param {string} _name
     * @param {string | null} before
     * @param {string | null} after
     */
    attributeChangedCallback(_name, before, after) {
      if (before !== after && this._isStarted) this._restart();
    }

    /** Begins to pay, as the buyer's click does. */
    start() {
      return this._want("start");
    }

    /** A new QR code, where the old one has expired. */
    refresh() {
      return this._want("refresh");
    }

    /** Ends the attempt, never the order. */
    cancel() {
      return this._want("cancel");
    }

    /** @param {string} intent */
    _want(intent) {
      return this._embedded ? this._embedded.want(intent) : false;
    }

    /** One start for however many attributes are set in one turn of the event loop. */
    _restart() {
      this._isStarted = true;
      this._stop();
      const turn = this._turn;
      queueMicrotask(() => {
        if (turn === this._turn) this._start();
      });
    }

    _stop() {
      this._turn += 1;
      const embedded = this._embedded;
      this._embedded = null;
      if (!embedded || isBroken) return;
      // Not at once: this may run inside a call of the widget, which must not be taken away
      // under its own feet.
      queueMicrotask(() => embedded.unmount());
    }

    async _start() {
      const turn = this._turn;
      try {
        const bindings = await loadBindings();
        if (turn !== this._turn) return;
        if (isBroken) throw new Error("the widget has stopped");
        // Only now: until the widget is there, the buyer sees what the page put between the tags.
        const root = this.shadowRoot || this.attachShadow({ mode: "open" });
        const container = document.createElement("div");
        root.replaceChildren(...styled(root, bindings.theme()), container);
        this._embedded = bindings.mount(container, this._options(), this._emit.bind(this));
      } catch (error) {
        if (turn !== this._turn) return;
        // The widget names a wrong option with a text; anything else is a failure of its own.
        const code = typeof error === "string" ? error : "WIDGET_UNAVAILABLE";
        this._fail(code, error);
      }
    }

    _options() {
      /** @type {Record<string, string>} */
      const options = {};
      for (const [attribute, property] of Object.entries(ATTRIBUTES)) {
        const value = this.getAttribute(attribute);
        if (value !== null) options[property] = value;
      }
      return options;
    }

    /**
     * @param {string} name
     * @param {unknown} detail
     */
    _emit(name, detail) {
      // Once for each problem, as the event is: for the merchant's engineer, who may not listen.
      if (name === "problem") console.warn("<wechat-pay>", detail);
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }

    /**
     * Tells the page, and leaves the buyer a way to pay: the page's own content in the element,
     * the hosted checkout page, or another try.
     *
     * @param {string} code
     * @param {unknown} error
     */
    _fail(code, error) {
      this._stop();
      const root = this.shadowRoot || this.attachShadow({ mode: "open" });
      const language = this.getAttribute("locale") || document.documentElement.lang || navigator.language;
      const words = /^zh/i.test(language) ? FALLBACK_WORDS.zh : FALLBACK_WORDS.en;
      const box = document.createElement("div");
      box.className = "fallback";
      box.setAttribute("part", "fallback");
      box.setAttribute("role", "alert");
      const title = document.createElement("b");
      title.textContent = words.title;
      const advice = document.createElement("span");
      advice.textContent = words.advice;
      const retry = document.createElement("button");
      retry.type = "button";
      retry.textContent = words.retry;
      retry.addEventListener("click", () => location.reload());
      box.append(title, advice, document.createElement("br"), retry);
      const address = this.getAttribute("checkout-url");
      if (address && /^https?:\/\//.test(address)) {
        const link = document.createElement("a");
        link.href = address;
        link.textContent = words.open;
        box.append(link);
      }
      box.append(document.createElement("slot"));
      root.replaceChildren(...styled(root, FALLBACK_STYLE), box);
      const isOfMerchant = code !== "WIDGET_UNAVAILABLE" && code !== "WIDGET_STOPPED";
      this._emit("problem", {
        code,
        actor: isOfMerchant ? "merchant" : "internal",
        recoverable: !isOfMerchant,
        field: null,
        raw: String(error),
      });
    }
  }

  for (const [attribute, property] of Object.entries(ATTRIBUTES)) {
    Object.defineProperty(WechatPayElement.prototype, property, {
      configurable: true,
      enumerable: true,
      get() {
        return this.getAttribute(attribute);
      },
      /** @param {string | boolean | null | undefined} value */
      set(value) {
        if (value === null || value === undefined || value === false) this.removeAttribute(attribute);
        else this.setAttribute(attribute, value === true ? "" : String(value));
      },
    });
  }

  // A panic is a trap of the WebAssembly, after which the instance cannot be trusted any more.
  /** @param {unknown} error */
  const trapped = (error) => {
    if (isBroken || typeof WebAssembly !== "object" || !(error instanceof WebAssembly.RuntimeError)) return;
    if (connected.size === 0 || !/wechat[-_]pay/.test(error.stack || "wechat-pay")) return;
    isBroken = true;
    for (const element of connected) element._fail("WIDGET_STOPPED", error);
  };
  addEventListener("error", (event) => trapped(event.error));
  addEventListener("unhandledrejection", (event) => trapped(event.reason));

  customElements.define(tag, WechatPayElement);
  return WechatPayElement;
}

/**
 * Gives a shadow root its style sheet; the nodes that this takes where the browser cannot share
 * sheets. A constructed sheet needs no `style-src` of the page.
 *
 * @param {ShadowRoot} root
 * @param {string} css
 * @returns {Node[]}
 */
function styled(root, css) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    return [];
  } catch {
    const style = document.createElement("style");
    style.textContent = css;
    return [style];
  }
}
