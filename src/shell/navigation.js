// @ts-check
// The half of `navigation.rs`, `storage.rs`, `object.rs`, `order_head.rs` and `receipt.rs` that is small in JavaScript: in Rust,
// each name of the browser's costs a binding. Nothing here throws; if the browser forbids something
// (a sandboxed frame, storage that is switched off), nothing happens.

/**
 * @param {string} address
 * @param {boolean} isReplacing whether the page leaves the history, so that Back does not lead to it
 */
export function follow(address, isReplacing) {
  try {
    if (isReplacing && top) return top.location.replace(address);
    const link = document.createElement("a");
    link.href = address;
    link.target = "_top";
    link.setAttribute("referrerpolicy", "strict-origin-when-cross-origin");
    link.click();
  } catch {}
}

/** @param {string} name */
export function parameter(name) {
  try {
    return new URL(location.href).searchParams.get(name);
  } catch {}
}

/**
 * An object's own property; see `object.rs`.
 *
 * @param {any} object
 * @param {string} name
 */
export function own(object, name) {
  try {
    if (Object.prototype.hasOwnProperty.call(object, name)) return object[name];
  } catch {}
}

/**
 * The page's address without these parameters, and byte for byte with all others. With
 * `isToBeShown`, the page shows that address from now on.
 *
 * @param {string} names separated by blanks
 * @param {boolean} isToBeShown
 */
export function stripped(names, isToBeShown) {
  try {
    const { href } = location;
    // As text: a parser would write the page's own parameters in its own way.
    const [, path, query, fragment = ""] = /** @type {string[]} */ (/^([^?#]*)(\?[^#]*)?(#.*)?$/.exec(href));
    const ours = names.split(" ");
    const kept = (query ? query.slice(1).split("&") : []).filter((part) => !ours.includes(part.split("=")[0]));
    // The browser keeps the fragment of WeChat's authorize address.
    const address = path + (kept.length ? `?${kept.join("&")}` : "") + (fragment === "#wechat_redirect" ? "" : fragment);
    if (isToBeShown && address !== href) history.replaceState(history.state, "", address);
    return address;
  } catch {}
}

/** What is marked on this page: storage may be refused, or emptied by the page. */
const marked = new Set();

/** @param {string} key */
export function isMarked(key) {
  try {
    return marked.has(key) || sessionStorage.getItem(key) !== null;
  } catch {
    return false;
  }
}

/**
 * @param {string} key
 * @param {boolean} isSet
 */
export function mark(key, isSet) {
  try {
    if (isSet) {
      marked.add(key);
      sessionStorage.setItem(key, "1");
    } else {
      marked.delete(key);
      sessionStorage.removeItem(key);
    }
  } catch {}
}

/**
 * The browser's formatters, by language and currency.
 *
 * @type {Record<string, Intl.NumberFormat>}
 */
const formatters = Object.create(null);

/**
 * An amount as browsers write it in a language. Yuan in the widget's own languages are written
 * here, because a browser takes up to 200 ms to set up its own formatter, and the buyer would wait
 * for that. A currency or a language that the browser does not know is written as it is.
 *
 * @param {string} language
 * @param {string} currency
 * @param {string} decimal newer browsers write this text digit by digit; others convert it to a
 * number, which holds any real amount exactly to the fen
 */
export function amount(language, currency, decimal) {
  const sign = currency !== "CNY" ? "" : language === "zh-CN" ? "¥" : language === "en" ? "CN¥" : "";
  if (sign) return sign + decimal.replace(/\B(?=(\d{3})+\.)/g, ",");
  try {
    // The options inherit nothing, because the browser reads inherited options too.
    const options = /** @type {object} */ ({ __proto__: null, style: "currency", currency });
    const formatter = (formatters[language + currency] ||= new Intl.NumberFormat(language, options));
    return formatter.format(/** @type {any} */ (decimal));
  } catch {
    return `${currency} ${decimal}`;
  }
}

/**
 * A time as browsers write it in a language, in the buyer's time zone; nothing if the text is no time.
 *
 * @param {string} language
 * @param {string} text
 */
export function time(language, text) {
  try {
    const date = new Date(text);
    const options = /** @type {object} */ ({ __proto__: null, dateStyle: "medium", timeStyle: "short" });
    if (date.getTime()) return date.toLocaleString(language, options);
  } catch {}
}
