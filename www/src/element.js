// @ts-check
/**
 * The class of `<wechat-pay>`: attributes in, DOM events out, and a shadow root for the widget.
 * It knows nothing of payments. It contains what a Rust struct cannot do (extend HTMLElement), and
 * what has to work before the WebAssembly does, or without it.
 */

import { isDesk } from "./desk.js";
import { sendFirstRequest } from "./first-request.js";
import { languageOf } from "./language.js";
import { own } from "./own.js";
import { absolute, fill, frame, holdPlace, rootOf, showFallback, styled } from "./stand-in.js";

/** @typedef {import("./wechat-pay").Bindings} Bindings */
/** @typedef {import("./wechat-pay").DefineOptions} DefineOptions */
/** @typedef {import("./wechat-pay").Transport} Transport */

/**
 * The phase of an element:
 *
 * - `away`: not in a page;
 * - `loading`: the widget is being loaded; `wantsStart`: the page called `start()` meanwhile;
 * - `mounted`: the payment runs; `hasPendingAppearance`: another appearance is about to be shown;
 * - `failed`: the buyer sees another way to pay, until another attribute restarts the payment;
 * - `destroyed`: it ended for good.
 *
 * Each start has its own state object: a late result finds another state, and does nothing.
 *
 * @typedef {{ phase: "loading", wantsStart: boolean }} Loading
 * @typedef {{ phase: "mounted", embedded: import("./wechat-pay").Embedded, hasPendingAppearance: boolean }} Mounted
 * @typedef {{ phase: "away" } | Loading | Mounted | { phase: "failed" } | { phase: "destroyed" }} State
 */

/** Attribute -> property. Another value restarts the payment. */
const PAYMENT = {
  token: "token",
  "merchant-api": "merchantApi",
  scene: "scene",
  "success-url": "successUrl",
  "return-url": "returnUrl",
  "auto-start": "autoStart",
};

/** Attribute -> property. Another value is shown at once, and the payment continues. */
const APPEARANCE = {
  locale: "locale",
  theme: "theme",
  "support-url": "supportUrl",
};

/** @type {Record<string, string>} */
const ATTRIBUTES = own(PAYMENT, APPEARANCE, { "checkout-url": "checkoutUrl" });

/**
 * An attribute's other spelling: code that sets `merchantApi` before the class is defined sets, in
 * HTML, the attribute `merchantapi`.
 *
 * @param {string} attribute
 */
const joined = (attribute) => attribute.replace("-", "");

/**
 * The value of a flag: true, false, or the word that is neither. In HTML, the bare attribute or its
 * own name means true; frameworks and templates write both words.
 *
 * @param {any} word
 */
const flag = (word) => /^(true|auto-?start)?$/i.test(word) || (!/^false$/i.test(word) && word);

/** @param {object} object @param {string} name */
const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);

/** Codes of problems that come from WeChat, and not from a request to the backend. */
const OF_WECHAT = /^(BRIDGE|CASHIER|LANDING|SIGNATURE|PREPAY)|_UNREACHABLE/;

/**
 * The accepted values of these attributes; any other value is reported and left out. A language tag
 * is checked only by its form, because the page may have its own sentences for any language. Many
 * backends write `zh_CN`.
 *
 * @type {Record<string, RegExp>}
 */
const WORDS = {
  locale: /^[a-z]{2,8}([-_][a-z\d]{1,8})*$/i,
  theme: /^(auto|light|dark)$/,
};

/**
 * How long the widget may load before the buyer gets another way to pay, in milliseconds. The widget
 * takes over when it comes later.
 */
const LOAD_MS = 10_000;

/** Properties without an attribute, because they are not texts. */
const OBJECTS = ["messages", "transport"];

/**
 * The page that explains each problem's code, beside this file. Bundlers recognise this form and
 * copy the page, which needs no other file.
 */
export const PROBLEMS = new URL("./problems.html", import.meta.url).href;

/**
 * Defines the element once: a second call returns the class that exists.
 *
 * @param {DefineOptions} options
 * @returns {CustomElementConstructor}
 */
export function define(options) {
  /** @type {DefineOptions} */
  const { loadBindings, loadWords, tag = "wechat-pay" } = own(options);
  const defined = customElements.get(tag);
  if (defined) return defined;

  /** Elements that are in a page; all of them share one WebAssembly instance. */
  const connected = new Set();
  /** Whether that instance has panicked, so that no element can use it any more. */
  let isBroken = false;

  class WechatPayElement extends HTMLElement {
    static get observedAttributes() {
      const names = Object.keys(ATTRIBUTES);
      return [...names, ...names.map(joined)];
    }

    constructor() {
      super();
      /** @type {State} */
      this._state = { phase: "away" };
      /** When this start began, on the page's own clock. */
      this._begun = 0;
      /** @type {import("./first-request.js").FirstRequest | undefined} what waits for the widget */
      this._first = undefined;
      /** The timer of `LOAD_MS`. */
      this._deadline = 0;
      /** The last request and its outcome, for the console. */
      this._lastRequest = "";
      /**
       * The texts that were reported, so that a text is not reported again when the element comes
       * back.
       */
      this._reported = new Set();
      /** @type {Record<string, string> | null} */
      this._messages = null;
      /** @type {Record<string, string> | undefined} the sentences of another language than Chinese */
      this._words = undefined;
      /** @type {Transport | null} */
      this._transport = null;
    }

    connectedCallback() {
      // A property that was set before the class was defined hides the accessor: set it again.
      for (const property of [...Object.values(ATTRIBUTES), ...OBJECTS]) {
        if (has(this, property)) {
          const value = /** @type {any} */ (this)[property];
          delete (/** @type {any} */ (this)[property]);
          /** @type {any} */ (this)[property] = value;
        }
      }
      if (this._state.phase === "destroyed") return;
      connected.add(this);
      // An element that was only moved continues.
      if (this._state.phase === "away") this._restart();
    }

    disconnectedCallback() {
      soon(() => {
        if (!this.isConnected && this._state.phase !== "destroyed") this._leave("away");
      });
    }

    /**
     * @param {string} name
     * @param {string | null} before
     * @param {string | null} after
     */
    attributeChangedCallback(name, before, after) {
      if (before === after) return;
      /** @param {object} table */
      const isOf = (table) => Object.keys(table).some((attribute) => joined(attribute) === joined(name));
      if (isOf(PAYMENT)) this._restart();
      else if (isOf(APPEARANCE)) this._updateAppearance();
    }

    /**
     * The value of an attribute, in either spelling.
     *
     * @param {string} attribute
     */
    _attribute(attribute) {
      const value = this.getAttribute(attribute);
      return value === null ? this.getAttribute(joined(attribute)) : value;
    }

    /** The page's own sentences, by name, over those of the widget's language. */
    get messages() {
      return this._messages;
    }

    set messages(messages) {
      this._messages = messages || null;
      this._updateAppearance();
    }

    /** The page's own backend, in place of the merchant API. */
    get transport() {
      return this._transport;
    }

    set transport(transport) {
      // The next request calls the new functions. An object that is created again with each
      // rendering must not restart the payment.
      const isOther = !transport !== !this._transport;
      this._transport = transport || null;
      if (isOther) this._restart();
    }

    /** Starts to pay, as the buyer's click does; while the widget loads, the start waits for it. */
    start() {
      const state = this._state;
      if (state.phase !== "loading") return this._act("start");
      state.wantsStart = true;
      return true;
    }

    /** Gets a new QR code after the old one has expired. */
    refresh() {
      return this._act("refresh");
    }

    /** Ends the attempt, never the order. */
    cancel() {
      if (this._state.phase === "loading") this._state.wantsStart = false;
      return this._act("cancel");
    }

    /** Polls the order's state, as the page does when it becomes visible again. */
    resume() {
      return this._act("resume");
    }

    /** Ends the element for good and empties it; the order stays as it is. */
    destroy() {
      this._leave("destroyed");
      if (this.shadowRoot) fill(this.shadowRoot);
    }

    /** @param {string} intent */
    _act(intent) {
      return this._state.phase === "mounted" && this._state.embedded.act(intent);
    }

    /** @param {"away" | "destroyed"} phase */
    _leave(phase) {
      connected.delete(this);
      this._enter({ phase });
    }

    /**
     * Ends the running payment, if any.
     *
     * @param {State} state the next one
     */
    _enter(state) {
      const before = this._state;
      this._state = state;
      clearTimeout(this._deadline);
      if (this._first) this._first._abort();
      this._first = undefined;
      if (before.phase !== "mounted") return;
      // Not at once: this may run inside a call of the widget, which must not be freed during that
      // call.
      soon(() => {
        try {
          before.embedded.unmount();
        } catch {
          // After a trap, `unmount` may not finish.
        }
      });
    }

    /** Starts once, however many attributes are set in one turn of the event loop. */
    _restart() {
      if (!connected.has(this)) return;
      /** @type {Loading} */
      const state = { phase: "loading", wantsStart: false };
      this._enter(state);
      soon(() => {
        if (this._state !== state) return;
        // An element that was taken out at once (React's strict mode does that) sends nothing.
        if (this.isConnected) this._start(state);
        else this._leave("away");
      });
    }

    /**
     * Changes once, however many attributes are set in one turn of the event loop, and not inside a
     * call.
     */
    _updateAppearance() {
      const state = this._state;
      if (state.phase !== "mounted" || state.hasPendingAppearance) return;
      state.hasPendingAppearance = true;
      soon(async () => {
        await this._fetchWords();
        state.hasPendingAppearance = false;
        if (this._state !== state || isBroken) return;
        this._label(/** @type {Element} */ (rootOf(this).lastElementChild));
        if (!state.embedded.set_appearance(this._options())) this._emit("problem", "SUPPORT_URL_INVALID");
      });
    }

    /**
     * Names the view for screen readers, in the buyer's language.
     *
     * @param {Element} view
     */
    _label(view) {
      view.setAttribute("aria-label", own(this._words, this._messages).brand || "微信支付");
    }

    /** @param {Loading} state */
    async _start(state) {
      this._begun = performance.now();
      // Beside the widget, and at once where the widget has the language itself.
      const words = this._fetchWords();
      try {
        const expectsCode = this._expectsCode();
        holdPlace(this, expectsCode, this._attribute("theme") || this._themeOfPage());
        if (!this._transport && !isBroken) {
          this._first = sendFirstRequest(this._attribute("token") || "", this._attribute("merchant-api") || "", expectsCode && isDesk(navigator) && this._isInSight());
        }
        this._deadline = setTimeout(() => this._giveUp("WIDGET_LATE", `the widget has not loaded in ${LOAD_MS} ms`), LOAD_MS);
        const bindings = await loadBindings();
        await words;
        if (this._state !== state) return;
        clearTimeout(this._deadline);
        if (isBroken) throw new Error("the widget has stopped");
        this._measure("loaded");
        const root = rootOf(this);
        const container = document.createElement("div");
        if (expectsCode) container.className = "code";
        frame(container, expectsCode);
        container.setAttribute("role", "group");
        this._label(container);
        fill(root, ...styled(root, bindings.theme()), container);
        const embedded = bindings.mount(container, this._options(), this._emit.bind(this));
        // A handler of the page may have removed the element meanwhile.
        if (this._state !== state) return embedded.unmount();
        this._state = { phase: "mounted", embedded, hasPendingAppearance: false };
        if (state.wantsStart) this.start();
      } catch (error) {
        await words;
        if (this._state !== state) return;
        // The widget throws a text for a wrong option; any other error is a failure of the widget
        // itself.
        const code = typeof error === "string" ? error : "WIDGET_UNAVAILABLE";
        this._fail(code, error);
      }
    }

    _language() {
      const tag = this._attribute("locale");
      const own = tag && WORDS.locale.test(tag) ? tag : "";
      return languageOf(own || document.documentElement.lang || navigator.language);
    }

    /** Fetches the sentences of the language. Without them the buyer reads those of another one. */
    async _fetchWords() {
      const language = this._language();
      const words = loadWords && language !== "zh-CN" ? await loadWords(language) : undefined;
      if (language === this._language()) this._words = words;
    }

    /** Whether the widget will most likely show a code: on a desk, or where the page requires it. */
    _expectsCode() {
      const scene = this._attribute("scene");
      return scene === "native" || ((!scene || scene === "auto") && isDesk(navigator));
    }

    /** Whether the page lets the buyer see the element: the hosted page shows its own code first. */
    _isInSight() {
      return getComputedStyle(this).visibility !== "hidden";
    }

    _options() {
      /** @type {Record<string, unknown>} */
      const options = { messages: this._messages, words: this._words, theme: this._themeOfPage(), fetch: this._send.bind(this) };
      for (const [attribute, property] of Object.entries(ATTRIBUTES)) {
        const given = this._attribute(attribute);
        const isFlag = property === "autoStart";
        // A page's template leaves an attribute empty when it has nothing to say.
        if (given === null || (given === "" && !isFlag)) continue;
        const value = /Url$/.test(property) ? absolute(given) : isFlag ? flag(given) : given;
        if (!has(WORDS, attribute) || WORDS[attribute].test(value)) options[property] = value;
        else this._emit("problem", `${attribute.toUpperCase()}_INVALID`);
      }
      if (this._transport) options.merchantApi = "";
      return options;
    }

    /**
     * The page's colour scheme, unless the attribute says otherwise: a light shop has no dark card.
     */
    _themeOfPage() {
      const scheme = getComputedStyle(this).colorScheme || "";
      if (!scheme.includes("dark")) return "light";
      return scheme.includes("light") ? "auto" : "dark";
    }

    /**
     * Takes the place of `fetch`. The first request may have been sent already.
     *
     * @param {Request} request
     */
    async _send(request) {
      const first = this._first;
      this._first = undefined;
      if (first) {
        const answer = first._answerTo(request);
        const response = answer && (await this._remember(first._request, answer));
        if (response) return response;
        first._abort();
      }
      return this._remember(request, this._transport ? this._sendToTransport(request) : fetch(request));
    }

    /**
     * Remembers a request and its outcome for the console. The token is the authorisation, so the
     * console gets only its beginning.
     *
     * @template {Response | undefined} R
     * @param {Request} request
     * @param {Promise<R>} answer
     */
    async _remember(request, answer) {
      const token = this.getAttribute("token") || "";
      const text = this._transport ? "transport" : `${request.method} ${request.url.replace(token, `${token.slice(0, 6)}…`)}`;
      this._lastRequest = ` (${text} → no answer)`;
      const response = await answer;
      if (response) this._lastRequest = ` (${text} → ${response.status})`;
      return response;
    }

    /**
     * Calls the page's own transport, and wraps its answer into a response.
     *
     * @param {Request} request
     */
    async _sendToTransport(request) {
      const { pathname, searchParams } = new URL(request.url);
      const name = pathname.endsWith("/attempts") ? "start" : pathname.endsWith("/cancel") ? "cancel" : "status";
      /** @type {Record<string, unknown>} */
      const fields = { token: this.getAttribute("token") };
      for (const [field, text] of name === "status" ? searchParams : new URLSearchParams(await request.text())) {
        fields[field] = field === "ask" ? true : /^(after|seen|wait)$/.test(field) ? Number(text) : text;
      }
      try {
        const ask = this._transport && /** @type {any} */ (this._transport)[name];
        if (typeof ask !== "function" && name === "cancel") return new Response("", { status: 404 });
        const answer = await ask.call(this._transport, fields, { signal: request.signal });
        return new Response(JSON.stringify(answer));
      } catch (thrown) {
        const isError = thrown instanceof Error;
        // An error that the browser throws when no server was reached is no fault of the transport.
        if (isError && (thrown.name === "AbortError" || /failed to fetch|load failed|networkerror/i.test(thrown.message))) throw thrown;
        const { code = "TRANSPORT_FAILED", message = isError && thrown.message, retryable, retry_after_ms, field, wechat_code } = own(thrown);
        const refusal = { code, message: `transport.${name}: ${message || thrown}`, retryable, retry_after_ms, field, wechat_code };
        return new Response(JSON.stringify({ error: refusal }), { status: 400 });
      }
    }

    /**
     * @param {string} name
     * @param {any} detail for a wrong option, only its code
     * @param {string} [cause] of a problem without a request
     */
    _emit(name, detail, cause) {
      if (name === "problem") {
        if (typeof detail === "string") {
          detail = this._optionProblem(detail);
          // The appearance is read again with each change; a wrong value of it is reported once.
          if (has(APPEARANCE, detail.field) && !this._isFirstReport(detail.message)) return;
          cause = detail.message += "; the payment goes on without it";
        }
        detail.hint = `${PROBLEMS}#${detail.code}`;
        const asked = cause || OF_WECHAT.test(detail.code) ? "" : this._lastRequest;
        cause = cause || [detail.field, detail.raw].filter(Boolean).join(": ") || detail.message;
        // For the merchant's engineer, who may not listen to the events: one line of text to copy.
        console.warn(`<wechat-pay> ${detail.code}: ${cause}${asked}. ${detail.hint}`.replace(/\s+/g, " "));
      }
      this._dispatch(name, detail);
      const { state, code } = own(detail);
      this._measure(name, state || code);
    }

    /**
     * Whether this text is reported for the first time.
     *
     * @param {string} text
     */
    _isFirstReport(text) {
      return this._reported.size < this._reported.add(text).size;
    }

    /**
     * Reports to the page, and to no server, how long things took.
     *
     * @param {string} mark
     * @param {string} [about]
     */
    _measure(mark, about = "") {
      this._dispatch("telemetry", { mark, about, elapsed_ms: performance.now() - this._begun });
    }

    /**
     * @param {string} name
     * @param {unknown} detail
     */
    _dispatch(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }

    /**
     * The problem of an attribute that is wrong, in words for the engineer.
     *
     * @param {string} code
     */
    _optionProblem(code) {
      const field = code.replace("_INVALID", "").replace("_", "-").toLowerCase();
      const raw = this._attribute(field);
      const message = raw ? `the value ${JSON.stringify(raw)} of ${field} is refused` : `${field} is missing`;
      return { code, actor: "merchant", recoverable: false, message, field, raw };
    }

    /**
     * The widget cannot run, or cannot run any more.
     *
     * @param {string} code
     * @param {unknown} error
     */
    _fail(code, error) {
      this._enter({ phase: "failed" });
      this._giveUp(code, error);
    }

    /**
     * Reports the problem to the page, and leaves the buyer another way to pay.
     *
     * @param {string} code
     * @param {unknown} error
     */
    _giveUp(code, error) {
      const addresses = ["checkout-url", "support-url"].map((name) => this._attribute(name));
      const message = showFallback(this, own(this._words, this._messages), this._language(), addresses);
      const problem = /^WIDGET/.test(code)
        ? { code, actor: "internal", recoverable: true, message: String(error), field: null, raw: String(error) }
        : this._optionProblem(code);
      this._emit("problem", own(problem, { message }), problem.message);
    }
  }

  for (const [attribute, property] of Object.entries(ATTRIBUTES)) {
    const isFlag = attribute === "auto-start";
    Object.defineProperty(WechatPayElement.prototype, property, {
      configurable: true,
      enumerable: true,
      get() {
        const value = this._attribute(attribute);
        return isFlag ? flag(value) === true : value;
      },
      /** @param {string | boolean | null | undefined} value */
      set(value) {
        if (value === null || value === undefined || value === false) this.removeAttribute(attribute);
        else this.setAttribute(attribute, value === true ? "" : String(value));
        // A value that a framework set before, by the other spelling, no longer applies.
        if (joined(attribute) !== attribute) this.removeAttribute(joined(attribute));
      },
    });
  }

  // A panic is a trap, of the WebAssembly or of the script in its place, after which the instance
  // cannot be trusted any more.
  /** @param {any} error */
  const trapped = (error) => {
    if (isBroken || !error || error.name !== "RuntimeError") return;
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
 * `queueMicrotask`, which Chrome has since version 71.
 *
 * @param {() => void} callback
 */
function soon(callback) {
  Promise.resolve().then(callback);
}

