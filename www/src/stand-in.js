// @ts-check
/**
 * What the buyer sees in the widget's place: the held place while it loads, and another way to pay
 * if it does not come. It needs no WebAssembly, and knows nothing of the payment.
 */
import { own } from "./own.js";

/** The beginnings of an address that leads the buyer to help. The widget checks its own. */
const HELP = /^(https?|mailto|tel):./;

/**
 * What the buyer reads; names as in `messages`. The sentences are those of the crate `buyer-words`.
 * Traditional Chinese is not among them: it is here only if its file has loaded.
 */
const WORDS = {
  zh: { load_failed: "支付页面加载失败", load_advice: "请刷新页面后重试，如仍无法支付，请联系商家", reload: "刷新页面", open_checkout: "打开收银台", support: "联系商家" },
  en: { load_failed: "The payment page could not load", load_advice: "Reload this page and try again. If it still fails, contact the shop.", reload: "Reload", open_checkout: "Open the checkout page", support: "Contact the shop" },
};

const FALLBACK_STYLE =
  ":host{display:block}.fallback{font:16px/1.6 system-ui,sans-serif;text-align:center;padding:20px 16px;border:1px solid #8a8a8a;border-radius:12px;max-width:420px;margin:0 auto}" +
  ".fallback b{display:block;font-size:20px}.fallback a,.fallback button{display:inline-block;min-height:48px;box-sizing:border-box;margin:12px 4px 0;padding:10px 20px;border:1px solid #8a8a8a;border-radius:8px;background:none;font:inherit;color:inherit;cursor:pointer}";

/** The card of the widget's theme, with grey in place of the price and of the code. */
const PLACE_STYLE =
  ":host{display:block;contain:content}.place{box-sizing:border-box;font-size:medium;min-height:27em;max-width:var(--wechat-pay-width,420px);margin:0 auto;border:1px solid #8883;border-radius:var(--wechat-pay-radius,12px);background:linear-gradient(#8882,#8882)50% 101px/120px 34px no-repeat;background-color:var(--wechat-pay-paper,Canvas)}" +
  ".code{min-height:35em;background-image:linear-gradient(#8882,#8882),linear-gradient(#8882,#8882);background-position:50% 101px,50% 157px;background-size:120px 34px,296px 296px}";

/**
 * Shows a box with the page's own content in it, and nothing of it if the page has its own stand-in
 * in the slot `fallback`.
 *
 * @param {HTMLElement} host
 * @param {string} css
 * @param {HTMLElement} box
 */
function show(host, css, box) {
  const root = rootOf(host);
  const outlet = element("slot", { name: "fallback" });
  box.append(element("slot"));
  outlet.append(box);
  fill(root, ...styled(root, css), outlet);
}

/**
 * Holds the place, so that nothing moves when the widget is there. A page with content between the
 * tags shows that content.
 *
 * @param {HTMLElement} host
 * @param {boolean} expectsCode
 * @param {string} theme
 */
export function holdPlace(host, expectsCode, theme) {
  // What has another slot than the stand-in's own is a part of the widget, and does not stand for it.
  const isOfPage = (/** @type {any} */ node) => (node.nodeType === 1 ? !node.slot || node.slot === "fallback" : /\S/.test(node.data) && node.nodeType === 3);
  if (host.shadowRoot || [...host.childNodes].some(isOfPage)) return;
  const place = element("div", { className: expectsCode ? "place code" : "place" });
  frame(place, expectsCode);
  place.style.colorScheme = theme === "auto" ? "light dark" : theme;
  show(host, PLACE_STYLE, place);
}

/**
 * Names a box as the frame of the card, by which a page's style sheet gives it another height.
 *
 * @param {HTMLElement} box
 * @param {boolean} expectsCode
 */
export function frame(box, expectsCode) {
  box.setAttribute("part", expectsCode ? "frame code-frame" : "frame");
}

/**
 * Shows another way to pay: the page's own content in the element, the hosted checkout page, help,
 * or another try.
 *
 * @param {HTMLElement} host
 * @param {Record<string, string>} messages the page's own sentences
 * @param {string} language
 * @param {(string | null)[]} addresses of the hosted page, and of help
 * @returns {string} what the buyer reads first
 */
export function showFallback(host, messages, language, addresses) {
  /** @type {any} */
  const words = own(language === "en" ? WORDS.en : WORDS.zh, messages);
  const box = element("div", { className: "fallback" });
  box.setAttribute("part", "fallback");
  box.setAttribute("role", "alert");
  const retry = element("button", { type: "button", textContent: words.reload });
  retry.addEventListener("click", () => location.reload());
  box.append(element("b", { textContent: words.load_failed }), element("span", { textContent: words.load_advice }), element("br"), retry);
  // The page's content in the slot replaces the link, as it does in the widget.
  const help = element("slot", { name: "support" });
  [box, help].forEach((parent, index) => {
    const href = addresses[index];
    if (href && HELP.test(absolute(href))) parent.append(element("a", { href, textContent: index ? words.support : words.open_checkout }));
  });
  box.append(help);
  show(host, FALLBACK_STYLE, box);
  return words.load_failed;
}

/**
 * `replaceChildren`, which Chrome has since version 86.
 *
 * @param {ShadowRoot} root
 * @param {Node[]} nodes
 */
export function fill(root, ...nodes) {
  root.textContent = "";
  root.append(...nodes);
}

/** @param {HTMLElement} host */
export function rootOf(host) {
  return host.shadowRoot || host.attachShadow({ mode: "open" });
}

/**
 * Makes an address absolute, by the page's own address. A text that is not an address stays as it
 * is, and its reader refuses it.
 *
 * @param {string} address
 */
export function absolute(address) {
  try {
    return new URL(address, document.baseURI).href;
  } catch {
    return address;
  }
}

/**
 * Gives a shadow root its style sheet. Returns the nodes that this needs if the browser cannot
 * share sheets. A constructed sheet needs no `style-src` of the page.
 *
 * @param {ShadowRoot} root
 * @param {string} css
 * @returns {Node[]}
 */
export function styled(root, css) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    return [];
  } catch {
    // Safari before 16.4. Here the page's policy applies, and the page's nonce is valid for this
    // style too.
    const style = document.createElement("style");
    style.nonce = (/** @type {HTMLElement | null} */ (document.querySelector("[nonce]")) || style).nonce;
    style.textContent = css;
    return [style];
  }
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [properties]
 */
function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
