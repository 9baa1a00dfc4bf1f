/**
 * Types of `<wechat-pay>`: its attributes, properties, methods and events.
 *
 * `import type {} from "wechat-pay"` (or a `/// <reference types>`) declares them; loading
 * `wechat-pay.js` defines the element.
 */

/** A payment product, with the contract's names. */
export type Product = "jsapi" | "h5" | "native" | "mini_program";

/**
 * The attributes of the element. In HTML they are texts with names in kebab case. An empty value
 * counts as absent, except for `auto-start`. A wrong value counts as absent too, and is a `problem`
 * with the attribute as its `field`, unless nothing can be paid without it.
 *
 * A name without its dash (`merchantapi`) is accepted too: HTML makes this name from `merchantApi`
 * if a framework sets it before the script has loaded. The name with the dash takes precedence.
 */
export interface WechatPayAttributes {
  /** The order's token, from `POST /v1/orders`. Required. */
  token?: string;
  /** Base of the merchant API: an http(s) address or a path. Required without a `transport`. */
  "merchant-api"?: string;
  /** `auto`, or the product that the page requires. */
  scene?: "auto" | Product;
  /**
   * Language tag: `zh-Hant`, `zh-TW`, `zh-HK` and `zh-MO` show Traditional Chinese, every other Chinese
   * tag Simplified Chinese, every other tag English, or your `messages`. When absent: the page's
   * `lang`, or else the browser's language. Simplified Chinese is part of the widget; the others are
   * fetched beside it, and the buyer reads Simplified Chinese if that fails.
   */
  locale?: string;
  /**
   * `light` or `dark`; `auto` follows the buyer's system. When absent: the page's `color-scheme`.
   */
  theme?: "auto" | "light" | "dark";
  /**
   * Another layout, on a page that links `layouts.css` of this package: `compact`, `code` (the code, its
   * sentence and the time), or `row` (the order beside the code).
   */
  layout?: "compact" | "code" | "row";
  /**
   * Where the buyer goes after a payment: https, or a path. http is only for this machine. The
   * address replaces the page in the history, so that Back leads to the entry before the page.
   */
  "success-url"?: string;
  /** Where the buyer returns to: http(s), or a path; the page's own address when absent. */
  "return-url"?: string;
  /**
   * Open WeChat's cashier without a click. Never for H5, and never on a return. True: the bare
   * attribute, `true`, or its own name. False: absent or `false`. Upper and lower case are the
   * same. Any other word is a `problem`, and counts as false.
   */
  "auto-start"?: boolean | "" | "true" | "false";
  /** Where the buyer finds help: http(s), mailto, tel, or a path. The slot `support` replaces it. */
  "support-url"?: string;
  /**
   * The hosted checkout page, offered if the widget cannot run, and if the merchant API cannot be
   * reached from this page.
   */
  "checkout-url"?: string;
}

/**
 * The element. Its properties are its attributes. Another token, merchant API, scene, address or
 * `autoStart` restarts the payment; another look or language is shown at once, and the payment
 * continues.
 */
export interface WechatPayElement extends HTMLElement {
  token: string | null;
  merchantApi: string | null;
  scene: "auto" | Product | null;
  locale: string | null;
  theme: "auto" | "light" | "dark" | null;
  successUrl: string | null;
  returnUrl: string | null;
  autoStart: boolean;
  supportUrl: string | null;
  checkoutUrl: string | null;
  /**
   * The page's own sentences, by name, over those of the widget's language. Only the object's own
   * properties count (a getter among them); inherited properties are not read.
   */
  messages: Messages | null;
  /** The page's own backend, instead of the merchant API. */
  transport: Transport | null;
  /**
   * Starts to pay, as the buyer's click does. While the element loads, the start waits and happens
   * once, unless `cancel()` comes first. `false`: not in a page, or unable to load.
   */
  start(): boolean;
  /** Gets a new QR code after the old one has expired. `false`: not ready. */
  refresh(): boolean;
  /**
   * Ends the attempt, never the order, also after the buyer has left for WeChat with it. Without
   * effect if there is no attempt, if the attempt is another device's, and after the cashier has
   * reported `ok`. `false`: not ready.
   */
  cancel(): boolean;
  /** Polls the order's state, as the page does when it becomes visible again. */
  resume(): boolean;
  /** Ends the element permanently and empties it; the order does not change. */
  destroy(): void;
  addEventListener<K extends keyof WechatPayEventMap>(
    type: K,
    listener: (this: WechatPayElement, event: WechatPayEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof WechatPayEventMap>(
    type: K,
    listener: (this: WechatPayElement, event: WechatPayEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/**
 * A backend of the page's own: three functions that return the contract's flat object. `version`
 * may be left out. A function that throws `{code, message, retryable}` refuses with the contract's
 * codes (`RATE_LIMITED`, …). Anything else that it throws is a problem of the merchant.
 *
 * The functions may be methods of a class. Of an answer, and of a thrown object, only the object's
 * own properties are read: another script may have written the inherited properties.
 */
export interface Transport {
  /** Starts an attempt: `POST …/attempts`. */
  start(form: StartForm, options: TransportOptions): CheckoutAnswer | Promise<CheckoutAnswer>;
  /** Returns the order's state: `GET …`. An early answer means "poll again in poll_after_ms". */
  status(query: StatusQuery, options: TransportOptions): CheckoutAnswer | Promise<CheckoutAnswer>;
  /** Ends the attempt, never the order: `POST …/cancel`. */
  cancel?(form: CancelForm, options: TransportOptions): CheckoutAnswer | Promise<CheckoutAnswer>;
}

export interface TransportOptions {
  /** Aborted when the answer is no longer needed. */
  signal: AbortSignal;
}

export interface StartForm {
  token: string;
  product: Product;
  /** The attempt number that the page has seen; 0 for none. */
  after: number;
  return_url?: string;
  payer?: string;
  code?: string;
}

export interface StatusQuery {
  token: string;
  /** For how many seconds the answer may be held while nothing changes. */
  wait?: number;
  /** The version that the page has seen. */
  seen?: number;
  /** Query WeChat now. */
  ask?: true;
}

export interface CancelForm {
  token: string;
  after: number;
}

/** A backend's answer about an order; unknown fields are ignored. Durations in milliseconds. */
export interface CheckoutAnswer {
  state: "open" | "paid" | "closed";
  order_no: string;
  /** In fen; never a fraction. */
  total_fen: number;
  /** 0: no attempt yet. */
  attempt: number;
  /** The product of the current attempt. */
  product?: Product;
  version?: number;
  /** Who is paid, as the buyer knows the shop. */
  payee?: string;
  description?: string;
  /** ISO 4217; `CNY` when absent. */
  currency?: string;
  payer_total_fen?: number;
  success_time?: string;
  refunded_fen?: number;
  remaining_ms?: number;
  checked_ms_ago?: number;
  poll_after_ms?: number;
  products?: Product[];
  /** `false`: the gateway is a simulator, and the element shows TEST. */
  live?: boolean;
  out_trade_no?: string;
  attempt_remaining_ms?: number;
  code_url?: string;
  h5_url?: string;
  jsapi?: PayParameters;
  mini_program_path?: string;
  mini_program?: Omit<PayParameters, "appId">;
  authorize_url?: string;
  success_url?: string;
}

/** The parameters of WeChat's cashier. All are texts. */
export interface PayParameters {
  appId: string;
  timeStamp: string;
  nonceStr: string;
  package: string;
  signType: string;
  paySign: string;
}

/**
 * Names of the element's sentences. `language` and `direction` describe the sentences themselves.
 */
export type MessageName =
  | "language"
  | "direction"
  | "brand"
  | "test_ribbon"
  | "loading"
  | "pay"
  | "pay_again"
  | "pay_in_wechat"
  | "show_code"
  | "offer_jsapi"
  | "offer_h5"
  | "offer_native"
  | "cancelled"
  | "starting"
  | "trying_again"
  | "making_sure"
  | "scan"
  | "scan_elsewhere"
  | "code_label"
  | "code_valid_for"
  | "minutes_left"
  | "seconds_left"
  | "code_expired"
  | "new_code"
  | "confirming"
  | "cashier"
  | "cashier_silent"
  | "leaving"
  | "stuck"
  | "open_again"
  | "returned"
  | "i_have_paid"
  | "i_had_a_problem"
  | "check_result"
  | "not_paid_yet"
  | "same_network"
  | "elsewhere"
  | "take_over"
  | "paid"
  | "you_paid"
  | "paid_at"
  | "refunded"
  | "refunded_in_full"
  | "back"
  | "closed"
  | "expired"
  | "order_again"
  | "problem"
  | "problem_of_merchant"
  | "try_then_contact"
  | "payment_failed"
  | "order_unknown"
  | "payer_unknown"
  | "too_often"
  | "reload_to_pay"
  | "problem_of_network"
  | "problem_of_wechat"
  | "problem_of_system"
  | "problem_of_buyer"
  | "order_number"
  | "retry"
  | "no_product"
  | "nothing_fits"
  | "open_in_browser"
  | "open_in_wechat"
  | "open_mini_program"
  | "mini_program"
  | "wechat_too_old"
  | "support"
  | "offline"
  | "reconnecting"
  | "load_failed"
  | "load_advice"
  | "reload"
  | "open_checkout";

/** The page's own sentences. `#` stands for the time in `code_valid_for`, and for a number in `minutes_left` and `seconds_left`. The widget's language is used for the missing ones. */
export type Messages = Partial<Record<MessageName, string>>;

/** The element's state. */
export type State =
  | "loading"
  | "offer"
  | "starting"
  | "qr"
  | "qr-checking"
  | "qr-expired"
  | "cashier"
  | "confirming"
  | "leaving"
  | "returned"
  | "elsewhere"
  | "paid"
  | "closed"
  | "expired"
  | "problem"
  | "unavailable";

/** `scene-decided`: where the buyer is, and the payment method that follows. */
export interface SceneDetail {
  environment: string;
  os: string;
  wechat_version: string | null;
  decision: string;
  product: Product | null;
  reason: string;
}

/** `state-change`: what the buyer sees now. */
export interface StateChangeDetail {
  state: State;
  /**
   * With `paid` and `closed`: whether this is the first report in this tab. If `false`, the event
   * of that name is not emitted.
   */
  first?: boolean;
}

/** `paid`: a signal to query your own backend, which WeChat has notified. */
export interface PaidDetail {
  order_no: string;
  out_trade_no: string | null;
  total_fen: number;
}

/** `problem`: what went wrong, who can act, and whether trying again helps. */
export interface ProblemDetail {
  /** Stable: `UNREACHABLE`, `H5_URL_REFUSED`, … */
  code: string;
  actor: "buyer" | "merchant" | "network" | "wechat" | "internal";
  recoverable: boolean;
  /** For the buyer, in the element's language; if an attribute's value is refused, for you. */
  message: string;
  /**
   * The page that explains cause and fix. It is beside the script, and a bundler copies it if the
   * bundler knows `new URL("./…", import.meta.url)`. `problems.js` has the texts.
   */
  hint: string;
  /** The attribute, or the contract's field, that caused the problem. */
  field: string | null;
  /** The other side's original message: for a log, never for the buyer. */
  raw: string | null;
}

/**
 * `telemetry`: the time since the element's start; reported only to the page.
 *
 * The cashier has no mark of its own: the `state-change` to `cashier` marks that it opened, and the
 * next `state-change` is its answer. The time from the payment to *paid* on the screen has no mark
 * either, because a page does not know when its buyer paid; your backend does.
 */
export interface TelemetryDetail {
  /** `loaded`, or the name of an event. */
  mark: "loaded" | Exclude<keyof WechatPayEvents, "telemetry">;
  /** The state or the problem's code, if the event has one. */
  about: string;
  elapsed_ms: number;
}

/** The element's own events. All bubble and cross shadow roots. */
export interface WechatPayEvents {
  /** The first answer of the merchant API has arrived. */
  ready: CustomEvent<Record<string, never>>;
  /**
   * Emitted before anything is started, except the code in a desktop browser, which is requested
   * while the widget loads. Emitted a second time if WeChat reports late that a mini-program shows
   * the page.
   */
  "scene-decided": CustomEvent<SceneDetail>;
  /** A QR code is on the page; once for each code. */
  "qr-shown": CustomEvent<Record<string, never>>;
  /** The page is about to navigate away. */
  redirecting: CustomEvent<{ to: "h5" | "authorize" | "mini_program" | "success" }>;
  /** What the buyer sees has changed. */
  "state-change": CustomEvent<StateChangeDetail>;
  /**
   * Emitted once for an order and tab, before the `state-change` to `paid`. A page that is
   * reloaded, and a second element of the order, get only the `state-change`, with `first: false`.
   */
  paid: CustomEvent<PaidDetail>;
  /** Like `paid`, at most once for an order and tab, and only because the backend said so. */
  closed: CustomEvent<Record<string, never>>;
  /** Something went wrong; the same problem twice in a row is reported once. */
  problem: CustomEvent<ProblemDetail>;
  telemetry: CustomEvent<TelemetryDetail>;
}

export interface WechatPayEventMap extends HTMLElementEventMap, WechatPayEvents {}

/** What the WebAssembly exports. */
export interface Bindings {
  mount(
    container: HTMLElement,
    options: Record<string, unknown>,
    emit: (name: string, detail: any) => void,
  ): Embedded;
  theme(): string;
}

/** One mounted widget. */
export interface Embedded {
  act(intent: string): boolean;
  set_appearance(options: Record<string, unknown>): boolean;
  unmount(): void;
}

/**
 * How `define` gets the WebAssembly: the only difference between the shipped loader and Trunk's
 * page.
 */
export interface DefineOptions {
  loadBindings(): Promise<Bindings>;
  /** The sentences of this language; undefined without them. Chinese alone when absent. */
  loadWords?(language: "en" | "zh-Hant"): Promise<Record<string, string> | undefined>;
  /** The element's name; `wechat-pay` when absent. */
  tag?: string;
}

/** Defines the element once. */
export function define(options: DefineOptions): CustomElementConstructor;

declare global {
  interface HTMLElementTagNameMap {
    "wechat-pay": WechatPayElement;
  }
}
