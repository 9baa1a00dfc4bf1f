// WeChat's browser for a page: its User-Agent, WeixinJSBridge, and the cashier.
// The simulator's WeChat browser puts this at the beginning of every page that it shows.
(() => {
  "use strict";
  const userAgent = "USER_AGENT";
  const define = (name, value) => Object.defineProperty(navigator, name, { get: () => value, configurable: true });
  define("userAgent", userAgent);
  define("appVersion", userAgent.replace(/^Mozilla\//, ""));
  define("platform", "Linux armv81");
  define("vendor", "Google Inc.");
  define("maxTouchPoints", 5);
  define("userAgentData", undefined);
  // A frame has no bridge: only the top window has one.
  if (window.top !== window) return;

  let sheetIsOpen = false;

  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; }
    .shade { position: fixed; inset: 0; z-index: 2147483647; background: #000a; display: flex; align-items: flex-end; justify-content: center; font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
    .sheet { box-sizing: border-box; width: 100%; max-width: 28rem; max-height: 100%; overflow: auto; background: #fff; color: #191919; border-radius: 16px 16px 0 0; padding: 0 20px 24px; text-align: center; }
    .sheet:focus { outline: none; }
    .simulator { margin: 0 -20px 12px; padding: 6px; background: #fa9d3b; font-size: 13px; }
    .amount { font-size: 36px; font-weight: 600; margin: 4px 0 12px; font-variant-numeric: tabular-nums; }
    .quiet { color: #666; margin: 8px 0; overflow-wrap: anywhere; }
    button { display: block; width: 100%; min-height: 48px; margin: 8px 0; border: 1px solid #ccc; border-radius: 8px; font: inherit; background: #fff; color: #191919; cursor: pointer; }
    button[data-outcome="success"] { background: #07c160; border-color: #07c160; color: #000; font-weight: 600; }
    button:focus-visible { outline: 3px solid #10aeff; outline-offset: 2px; }
    button:disabled { opacity: .5; }
  `);

  /** @param {string} name @param {Record<string, string>} attributes @param {...(string|Node)} children */
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /** Shows a sheet over the page; returns the function that removes it. */
  function showSheet(label, ...content) {
    const host = element("div", { id: "wechat-cashier" });
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    const sheet = element(
      "div",
      { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": label, tabindex: "-1" },
      element("p", { class: "simulator" }, "模拟器 · 不会真实扣款 · Simulator. No money moves"),
      ...content,
    );
    root.append(element("div", { class: "shade" }, sheet));
    const focused = document.activeElement;
    (document.body ?? document.documentElement).append(host);
    sheet.focus();
    // The shop's page must not get key events of the cashier.
    host.addEventListener("keydown", (event) => event.stopPropagation());
    return () => {
      host.remove();
      if (focused instanceof HTMLElement) focused.focus();
    };
  }

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the simulator answered ${answer.status}`);
    return answer.json();
  }

  /** The buyer's choice: resolves with `success`, `cancel` or `fail`. */
  function ask(sheet) {
    return new Promise((resolve) => {
      const buttons = [
        ["success", "支付 · Pay"],
        ["cancel", "取消 · Cancel"],
        ["fail", "支付失败 · Let it fail"],
      ].map(([outcome, text]) => {
        const button = element("button", { type: "button", "data-outcome": outcome }, text);
        button.addEventListener("click", () => {
          close();
          resolve(outcome);
        });
        return button;
      });
      const close = showSheet(
        "微信支付",
        element("p", { class: "quiet" }, `付款给商户 ${sheet.merchant}`),
        element("p", { class: "amount" }, `¥${sheet.amount}`),
        element("p", { class: "quiet" }, sheet.description),
        ...(sheet.sub_orders ?? []).map((line) => element("p", { class: "quiet" }, line)),
        ...buttons,
      );
    });
  }

  /** Shows the reason. The page gets it at once, and does not wait for the button. */
  function showRefusal(text) {
    const button = element("button", { type: "button", "data-outcome": "dismiss" }, "知道了 · OK");
    const close = showSheet("微信支付", element("p", {}, text), button);
    button.addEventListener("click", () => close());
  }

  async function pay(params) {
    if (sheetIsOpen) return { err_msg: "get_brand_wcpay_request:fail", err_desc: "收银台已打开" };
    sheetIsOpen = true;
    try {
      const opened = await post("/_wechat/cashier", params ?? {});
      if (opened.result) {
        if (opened.result.err_desc) showRefusal(opened.result.err_desc);
        return opened.result;
      }
      const outcome = await ask(opened.sheet);
      const { result } = await post("/_wechat/outcome", { params, outcome });
      return result;
    } catch (error) {
      console.error("WeChat browser:", error);
      return { err_msg: "get_brand_wcpay_request:fail", err_desc: "系统繁忙" };
    } finally {
      sheetIsOpen = false;
    }
  }

  const quiet = new Set(["hideOptionMenu", "showOptionMenu", "hideToolbar", "showToolbar", "closeWindow", "getNetworkType"]);

  function invoke(name, params, callback) {
    if (typeof params === "function") [params, callback] = [{}, params];
    let result;
    if (name === "getBrandWCPayRequest") result = pay(params);
    else if (quiet.has(name)) result = Promise.resolve({ err_msg: `${name}:ok` });
    else result = Promise.resolve({ err_msg: "system:function_not_exist" });
    // Always asynchronous.
    result.then((value) => {
      if (typeof callback === "function") callback(value);
    });
  }

  // As on a phone, the bridge is injected a moment after the page has started.
  setTimeout(() => {
    window.WeixinJSBridge = { invoke, call: invoke, on() {}, log() {} };
    document.dispatchEvent(new Event("WeixinJSBridgeReady"));
  }, 30);
})();
