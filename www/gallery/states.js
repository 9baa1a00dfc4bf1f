// @ts-check
/**
 * The fixtures: how each state is reached. `steps` run one after another; a number lets that many
 * milliseconds pass.
 *
 * @typedef {import("../src/wechat-pay").CheckoutAnswer} CheckoutAnswer
 * @typedef {import("../src/wechat-pay").WechatPayElement} WechatPayElement
 * @typedef {object} Fixture
 * @property {string} name
 * @property {string} about
 * @property {string} [shows] the state's name, if the fixture has another name
 * @property {keyof typeof AGENTS} [agent]
 * @property {Record<string, (...all: any[]) => unknown>} [transport]
 * @property {(name: string, form: object, reply: (reply: object) => void) => void} [bridge]
 * @property {string} [address] what the backend appended to the page's address
 * @property {boolean} [isFramed]
 * @property {boolean} [isReloaded] the page was reloaded because WeChat did not let it pay
 * @property {Record<string, unknown>} [properties]
 * @property {boolean} [stays] the page does not continue at the shop's address after a while
 * @property {(number | ((element: WechatPayElement) => unknown))[]} [steps]
 */

/** Browsers, with their User-Agents. */
export const AGENTS = {
  desktop: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
  phone: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36",
  tablet: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
  qq: "Mozilla/5.0 (Linux; Android 10; K; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/109.0 Mobile Safari/537.36 QQ/8.9.58.11050",
  wechat: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) NetType/WIFI Language/zh_CN",
  oldWechat: "Mozilla/5.0 (iPhone; CPU iPhone OS 6_1 like Mac OS X) AppleWebKit/536.26 (KHTML, like Gecko) Mobile/10B329 MicroMessenger/4.5",
  wecom: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 wxwork/4.1.39 MicroMessenger/7.0.1",
  robot: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  miniProgram: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) NetType/WIFI Language/zh_CN miniProgram/wx1234567890abcdef",
};

/** Enough Arabic to check the text direction. */
export const ARABIC = {
  language: "ar",
  direction: "rtl",
  scan: "امسح الرمز باستخدام WeChat للدفع",
  code_valid_for: "الرمز صالح لمدة",
  pay_in_wechat: "ادفع عبر WeChat",
  offer_h5: "ستنتقل إلى WeChat لإتمام الدفع",
  paid: "تم استلام الدفعة",
  problem: "تعذر الدفع الآن",
  retry: "حاول مرة أخرى",
  support: "اتصل بالمتجر",
};

/** @type {CheckoutAnswer} */
const ORDER = {
  state: "open",
  version: 1,
  order_no: "SHOP-20261126-0001",
  total_fen: 6910,
  payee: "云岭茶铺",
  description: "云南小粒咖啡 250 克",
  currency: "CNY",
  remaining_ms: 1_800_000,
  products: ["native", "h5", "jsapi"],
  attempt: 0,
  live: true,
};
/** @type {CheckoutAnswer} */
const CODE = {
  ...ORDER,
  version: 2,
  attempt: 1,
  product: "native",
  attempt_remaining_ms: 1_799_000,
  code_url: "weixin://wxpay/bizpayurl?pr=JyC91EIz1",
};
/** @type {CheckoutAnswer} */
const H5 = {
  ...ORDER,
  version: 2,
  attempt: 1,
  product: "h5",
  h5_url: "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2611&package=1",
};
/** @type {CheckoutAnswer} */
const JSAPI = {
  ...ORDER,
  version: 2,
  attempt: 1,
  product: "jsapi",
  jsapi: {
    appId: "wx1234567890abcdef",
    timeStamp: "1795000000",
    nonceStr: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
    package: "prepay_id=wx26110000000000",
    signType: "RSA",
    paySign: "c2ln",
  },
};

/** @type {CheckoutAnswer} */
const AUTHORIZE = {
  ...ORDER,
  authorize_url: "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1234567890abcdef&state=1",
};

/** @type {CheckoutAnswer} */
const PAID = { ...ORDER, state: "paid", version: 3, success_time: "2026-11-26T20:04:05+08:00" };

/** The page of a shop that says where its buyers continue. */
const SHOP = { successUrl: "https://shop.example/orders/0001" };

/** @type {CheckoutAnswer} */
const MINI_PROGRAM = { ...ORDER, products: ["mini_program"], mini_program_path: "/pages/wechat-pay/wechat-pay?token=gallery-0123456789" };
const inMiniProgram = { products: MINI_PROGRAM.products };

/** @param {Partial<CheckoutAnswer>} change */
const first = (change = {}) => ({ ...ORDER, ...change });
const never = () => new Promise(() => {});
/** Answers the first poll, and holds a held one. @param {Partial<CheckoutAnswer>} [change] */
const open = (change) => (/** @type {{wait?: number}} */ { wait }) => (wait ? never() : first(change));
const unreachable = () => {
  throw new TypeError("Failed to fetch");
};
/** Answers the first poll, and is unreachable afterwards. */
const once = () => {
  let isAnswered = false;
  return () => {
    if (isAnswered) unreachable();
    isAnswered = true;
    return first();
  };
};
/** @param {string} code */
const refuse = (code) => () => {
  throw { code, message: `the fixture says ${code}`, retryable: false };
};
/** Clicks a button as the buyer does. @param {string} intent */
const click = (intent) => async (/** @type {WechatPayElement} */ element) => {
  /** @type {HTMLElement | null | undefined} */
  let button;
  // An engine may draw a screen later than it reports the state.
  while (!(button = element.shadowRoot?.querySelector(`[data-intent="${intent}"]`))) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  button.click();
};
/** @param {string} result */
const reply = (result) => (/** @type {string} */ _name, /** @type {object} */ _form, /** @type {(reply: object) => void} */ call) =>
  call({ err_msg: `get_brand_wcpay_request:${result}` });

/** A first answer to polls, and the given answer to queries at WeChat. */
const asked = (/** @type {CheckoutAnswer} */ answer) => (/** @type {{wait?: number, ask?: true}} */ { wait, ask }) =>
  ask ? { ...answer, checked_ms_ago: 0 } : wait ? never() : first();

/** @type {Fixture[]} */
export const STATES = [
  { name: "loading", about: "before the first answer" },
  { name: "loading-late", shows: "loading", about: "… and it has not come for long: another try, and the hosted page", transport: { status: unreachable }, steps: [16_000] },
  { name: "loading-reconnecting", shows: "loading", about: "the backend is unreachable", transport: { status: unreachable }, steps: [3000] },
  { name: "qr", about: "on a desktop", transport: { status: open(), start: () => CODE } },
  { name: "qr-scene-impossible", shows: "qr", about: "the page requires WeChat's cashier on a desktop, so the environment decides", properties: { scene: "jsapi" }, transport: { status: open(), start: () => CODE } },
  { name: "qr-test", shows: "qr", about: "the gateway is a simulator", transport: { status: open({ live: false }), start: () => ({ ...CODE, live: false }) } },
  { name: "qr-handheld", shows: "qr", about: "on a phone, if the merchant has no other product", agent: "phone", transport: { status: open({ products: ["native"] }), start: () => ({ ...CODE, products: ["native"] }) } },
  { name: "qr-ending", shows: "qr", about: "valid for less than three minutes", transport: { status: open(), start: () => ({ ...CODE, attempt_remaining_ms: 170_000 }) } },
  { name: "qr-offline", shows: "qr", about: "the network is unavailable", transport: { status: open(), start: () => CODE }, steps: [() => dispatchEvent(new Event("offline"))] },
  { name: "qr-reconnecting", shows: "qr", about: "the backend stopped answering", transport: { status: once(), start: () => CODE }, steps: [10_000] },
  { name: "qr-long", shows: "qr", about: "a hostile description and a large amount", transport: { status: open(), start: () => ({ ...CODE, payee: "<img src=x onerror=alert(1)> \u202eשלום\u202c".repeat(2), description: "<b>不是 HTML</b> 云南小粒咖啡".repeat(4), total_fen: 999_999_999_99 }) } },
  { name: "qr-no-payee", shows: "qr", about: "a backend that does not say who is paid", transport: { status: open({ payee: undefined }), start: () => ({ ...CODE, payee: undefined }) } },
  { name: "qr-unbroken", shows: "qr", about: "the longest description, without a blank", transport: { status: open(), start: () => ({ ...CODE, payee: "W".repeat(64), description: "W".repeat(127), total_fen: 1_000_000 }) } },
  { name: "qr-checking", about: "the time is over, and WeChat is queried once more", transport: { status: open(), start: () => ({ ...CODE, attempt_remaining_ms: 1000 }) }, steps: [2000] },
  { name: "qr-expired", about: "the buyer can get a new code", transport: { status: asked({ ...CODE, attempt_remaining_ms: 0 }), start: () => ({ ...CODE, attempt_remaining_ms: 1000 }) }, steps: [3000] },
  { name: "offer-h5", shows: "offer", about: "a phone's own browser", agent: "phone", transport: { status: open() } },
  { name: "offer-tablet", shows: "offer", about: "a tablet: H5 and the code", agent: "tablet", transport: { status: open() } },
  { name: "offer-in-app", shows: "offer", about: "another app's browser", agent: "qq", transport: { status: open() } },
  { name: "offer-jsapi", shows: "offer", about: "inside WeChat", agent: "wechat", bridge: () => {}, transport: { status: open() } },
  { name: "offer-wecom", shows: "offer", about: "inside WeCom: the code as the fallback", agent: "wecom", bridge: () => {}, transport: { status: open() } },
  { name: "offer-in-app-h5-alone", shows: "offer", about: "… if the merchant has only H5: another browser is the fallback", agent: "qq", transport: { status: open({ products: ["h5"] }) } },
  { name: "offer-native", shows: "offer", about: "on a desktop, after `cancel()`", transport: { status: open(), start: () => CODE, cancel: () => ({ ...ORDER, version: 3, attempt: 0 }) }, steps: [(element) => element.cancel()] },
  { name: "offer-wecom-failed", shows: "offer", about: "inside WeCom, after its cashier failed", agent: "wecom", bridge: reply("fail"), transport: { status: asked(JSAPI), start: () => JSAPI }, steps: [click("start"), 2000] },
  { name: "offer-mini-program", shows: "offer", about: "a mini-program's web-view, whose merchant has a page for it", agent: "miniProgram", transport: { status: open(inMiniProgram) } },
  { name: "offer-cancelled", shows: "offer", about: "the cashier was dismissed", agent: "wechat", bridge: reply("cancel"), transport: { status: asked(JSAPI), start: () => JSAPI }, steps: [click("start"), 2000] },
  { name: "starting", about: "an attempt is being requested", transport: { status: open() } },
  { name: "starting-again", shows: "starting", about: "… for the second time", transport: { status: open(), start: unreachable } },
  { name: "starting-in-doubt", shows: "starting", about: "the backend is checking an earlier attempt", transport: { status: open(), start: () => { throw { code: "ATTEMPT_IN_DOUBT", message: "", retryable: true }; } } },
  { name: "cashier", about: "WeChat's cashier is open", agent: "wechat", bridge: () => {}, transport: { status: open(), start: () => JSAPI }, steps: [click("start")] },
  { name: "cashier-silent", shows: "cashier", about: "… and has not replied for long", agent: "wechat", bridge: () => {}, transport: { status: open(), start: () => JSAPI }, steps: [click("start"), 31_000] },
  { name: "cashier-wecom-silent", shows: "cashier", about: "… inside WeCom, with the code as the fallback", agent: "wecom", bridge: () => {}, transport: { status: open(), start: () => JSAPI }, steps: [click("start"), 31_000] },
  { name: "confirming", about: "the cashier reported ok", agent: "wechat", bridge: reply("ok"), transport: { status: open(), start: () => JSAPI }, steps: [click("start")] },
  { name: "leaving", about: "navigating to WeChat", agent: "phone", transport: { status: open(), start: () => H5 }, steps: [click("start")] },
  { name: "leaving-authorize", shows: "leaving", about: "navigating to WeChat for the buyer's openid", agent: "wechat", bridge: () => {}, transport: { status: open(), start: () => AUTHORIZE }, steps: [click("start")] },
  { name: "leaving-authorize-stuck", shows: "leaving", about: "… and WeChat did not open: nothing can have been paid", agent: "wechat", bridge: () => {}, transport: { status: open(), start: () => AUTHORIZE }, steps: [click("start"), 5000] },
  { name: "leaving-mini-program", shows: "leaving", about: "opening the mini-program's page", agent: "miniProgram", bridge: () => {}, transport: { status: open(inMiniProgram), start: () => MINI_PROGRAM }, steps: [click("start")] },
  { name: "leaving-mini-program-stuck", shows: "leaving", about: "… which did not open, or whose buyer returned unnoticed", agent: "miniProgram", bridge: () => {}, transport: { status: open(inMiniProgram), start: () => MINI_PROGRAM }, steps: [click("start"), 5000] },
  { name: "leaving-in-app-stuck", shows: "leaving", about: "another app's browser did not open WeChat: the code is the fallback", agent: "qq", transport: { status: open(), start: () => H5 }, steps: [click("start"), 5000] },
  { name: "leaving-stuck", shows: "leaving", about: "WeChat did not open", agent: "phone", transport: { status: open(), start: () => H5 }, steps: [click("start"), 5000] },
  { name: "returned", about: "back from WeChat", agent: "phone", address: "wechat_pay_return=1", transport: { status: open() } },
  { name: "returned-asking", shows: "returned", about: "WeChat is being queried", agent: "phone", address: "wechat_pay_return=1", transport: { status: (/** @type {{wait?: number, ask?: true}} */ { ask, wait }) => (ask || wait ? never() : first()) }, steps: [click("check-payment")] },
  { name: "returned-not-paid", shows: "returned", about: "no payment yet", agent: "phone", address: "wechat_pay_return=1", transport: { status: asked(ORDER) }, steps: [click("check-payment"), 1000] },
  { name: "offer-h5-after-trouble", shows: "offer", about: "the buyer had a problem, and WeChat has no payment", agent: "phone", address: "wechat_pay_return=1", transport: { status: asked(ORDER) }, steps: [click("report-trouble"), 1000] },
  { name: "elsewhere", about: "another device has taken over", transport: { status: open({ version: 2, attempt: 1, product: "h5", attempt_remaining_ms: 290_000 }) } },
  { name: "paid", about: "paid, and the shop continues", transport: { status: () => first(PAID) }, properties: SHOP, stays: true },
  { name: "paid-coupon", shows: "paid", about: "paid, with a coupon of WeChat's, and the page stays", transport: { status: () => first({ ...PAID, payer_total_fen: 5910 }) } },
  { name: "paid-refunded-in-part", shows: "paid", about: "… and a part is refunded", transport: { status: () => first({ ...PAID, payer_total_fen: 5910, refunded_fen: 2000 }) }, properties: SHOP, stays: true },
  { name: "paid-refunded", shows: "paid", about: "… and all is refunded", transport: { status: () => first({ ...PAID, refunded_fen: 6910 }) }, properties: SHOP, stays: true },
  { name: "paid-longest", shows: "paid", about: "… with the longest order number", transport: { status: () => first({ ...PAID, order_no: "W".repeat(32), payee: "W".repeat(64), total_fen: 100_000_000_000, payer_total_fen: 99_999_999_999, refunded_fen: 99_999_999_999 }) }, properties: SHOP, stays: true },
  { name: "closed", about: "closed by the merchant", transport: { status: () => first({ state: "closed" }) } },
  { name: "expired", about: "the order has expired", transport: { status: open({ remaining_ms: 0 }) } },
  { name: "problem-merchant", shows: "problem", about: "the merchant has to act", transport: { status: refuse("ORIGIN_NOT_ALLOWED") } },
  { name: "problem-order-unknown", shows: "problem", about: "the backend knows no such order", transport: { status: refuse("CHECKOUT_UNKNOWN") } },
  { name: "problem-too-often", shows: "problem", about: "too many requests", transport: { status: open(), start: refuse("RATE_LIMITED") } },
  { name: "problem-payer-unknown", shows: "problem", about: "WeChat did not say who pays", agent: "wechat", bridge: () => {}, transport: { status: open(), start: refuse("PAYER_UNAVAILABLE") }, steps: [click("start")] },
  { name: "problem-payment-failed", shows: "problem", about: "the cashier reports a failure without a cause", agent: "wechat", bridge: reply("fail"), transport: { status: open(), start: () => JSAPI }, steps: [click("start")] },
  { name: "problem-network", shows: "problem", about: "no connection", transport: { status: open(), start: unreachable }, steps: [60_000] },
  { name: "problem-wechat", shows: "problem", about: "WeChat does not answer", transport: { status: open(), start: refuse("WECHAT_UNAVAILABLE") } },
  { name: "problem-buyer", shows: "problem", about: "the buyer has to start again", agent: "wechat", bridge: () => {}, transport: { status: open(), start: refuse("PAYER_INVALID") }, steps: [click("start")] },
  { name: "problem-landing-url", shows: "problem", about: "on iOS, the address on which the buyer landed is not registered", agent: "wechat", bridge: reply("fail_no permission to execute"), transport: { status: open(), start: () => JSAPI }, steps: [click("start")] },
  { name: "problem-landing-url-again", shows: "problem", about: "… and a reload did not help: there is no button, because it would not help again", agent: "wechat", isReloaded: true, bridge: reply("fail_no permission to execute"), transport: { status: open(), start: () => JSAPI }, steps: [click("start")] },
  { name: "problem-cashier-unsupported", shows: "problem", about: "this app has no cashier: there is no button, because it would not help", agent: "wechat", bridge: (_name, _form, call) => call({ err_msg: "system:function_not_exist" }), transport: { status: open(), start: () => JSAPI }, steps: [click("start")] },
  { name: "problem-mini-program", shows: "problem", about: "the mini-program's page cannot be opened", agent: "miniProgram", bridge: reply("fail page is not found"), transport: { status: open(inMiniProgram), start: () => MINI_PROGRAM }, steps: [click("start")] },
  { name: "problem-internal", shows: "problem", about: "a bug in the backend", transport: { status: open(), start: refuse("INTERNAL") } },
  { name: "unavailable", about: "the merchant's products do not work here, but in WeChat", transport: { status: open({ products: ["jsapi"] }) } },
  { name: "unavailable-h5-alone", shows: "unavailable", about: "… but in the phone's own browser", agent: "wechat", bridge: () => {}, transport: { status: open({ products: ["h5"] }) } },
  { name: "unavailable-native-alone", shows: "unavailable", about: "… but on a computer", agent: "wechat", bridge: () => {}, transport: { status: open({ products: ["native"] }) } },
  { name: "unavailable-mini-program-alone", shows: "unavailable", about: "… but in its mini-program", transport: { status: open({ products: ["mini_program"] }) } },
  { name: "unavailable-no-product", shows: "unavailable", about: "… nowhere", transport: { status: open({ products: [] }) } },
  { name: "unavailable-old-wechat", shows: "unavailable", about: "a WeChat version without payments", agent: "oldWechat", transport: { status: open() } },
  { name: "unavailable-mini-program", shows: "unavailable", about: "a mini-program's web-view", agent: "miniProgram", transport: { status: open() } },
  { name: "offer-framed", shows: "offer", about: "a phone's page in a frame", agent: "phone", isFramed: true, transport: { status: open() } },
  { name: "unavailable-robot", shows: "unavailable", about: "a search engine", agent: "robot", transport: { status: open() } },
  { name: "fallback", shows: "fallback", about: "the element cannot run", properties: { token: "no token" } },
];
