/**
 * Types of `<wechat-pay>`: what the element takes, says and fires.
 *
 * `import type {} from "wechat-pay"` (or a `/// <reference types>`) makes them known; loading
 * `wechat-pay.js` defines the element.
 */

/** A way of paying, in the words of the contract. */
export type Product = "jsapi" | "h5" | "native" | "mini_program";

/**
 * The attributes of the element. In HTML: kebab case, and texts. An empty one (but
 * `auto-start`) counts as absent; so does a wrong one, which is a `problem` with the attribute as
 * its `field`, unless nothing can be paid without it.
 *
 * A name without its dash (`merchantapi`) is understood too: that is what HTML makes of `merchantApi`
 * where a framework sets it before the script has come. The name with the dash comes first.
 */
export interface WechatPayAttributes {
  /** The order's token, from `POST /v1/orders`. Required. */
  token?: string;
  /** Base of the merchant API: an http(s) address or a path. Required without a `transport`. */
  "merchant-api"?: string;
  /** `auto`, or the product that the page insists on. */
  scene?: "auto" | Product;
  /**
   * Language tag: Chinese of any region reads Chinese, all others English, or your `messages`. The
   * page's language when absent.
   */
  locale?: string;
  /** `light` or `dark`; `auto` follows the buyer's system. Absent: as the page's `color-scheme`. */
  theme?: "auto" | "light" | "dark";
  /**
   * Where the buyer goes after a payment: https, or a path. http is for this machine alone. It takes
   * the page's place in the history, so that Back leads to what was before.
   */
  "success-url"?: string;
  /** Where the buyer comes back to: http(s), or a path; the page's own address when absent. */
  "return-url"?: string;
  /**
   * Open WeChat's cashier without a click. Never for H5, and never on a return. True: the bare
   * attribute, `true`, or its own name. False: absent or `false`. In any letter case; another word
   * is a `problem`, and false.
   */
  "auto-start"?: boolean | "" | "true" | "false";
  /** Where the buyer finds help: http(s), mailto, tel, or a path. The slot `support` replaces it. */
  "support-url"?: string;
  /** The hosted checkout page, offered where the widget cannot run. */
  "checkout-url"?: string;
}

/**
 * The element. Properties are its attributes. Another token, merchant API, scene, address or
 * `autoStart` begins anew; another look or language is shown at once, and the payment goes on.
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
   * The page's own words, by name, over those of the widget's language. The object's own properties
   * count (a getter among them); what it inherits is not read.
   */
  messages: Messages | null;
  /** The page's own backend, in place of the merchant API. */
  transport: Transport | null;
  /**
   * Begins to pay, as the buyer's click does. While the element loads, it begins as soon as it can,
   * once, unless `cancel()` comes first. `false`: not in a page, or unable to load.
   */
  start(): boolean;
  /** A new QR code, where the old one has expired. `false`: not ready. */
  refresh(): boolean;
  /**
   * Ends the attempt, never the order, also after the buyer has gone to WeChat with it. Of no
   * effect where there is none, where it is another device's, and once the cashier has said `ok`.
   * `false`: not ready.
   */
  cancel(): boolean;
  /** Asks how the payment stands, as a page does that comes to the front again. */
  resume(): boolean;
  /** Ends the element for good and empties it; the order stays as it is. */
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
 * A backend of the page's own: three functions that give the contract's flat object. `version`
 * may be left out. A function that throws `{code, message, retryable}` refuses in the contract's
 * words (`RATE_LIMITED`, …); whatever else it throws is a problem of the merchant's.
 *
 * The functions may be methods of a class. Of an answer, and of what is thrown, only the object's
 * own properties are read: what every object inherits, somebody else may have written.
 */
export interface Transport {
  /** Makes an attempt: `POST …/attempts`. */
  start(form: StartForm, options: TransportOptions): CheckoutAnswer | Promise<CheckoutAnswer>;
  /** Says how the order stands: `GET …`. An early answer means "ask again in poll_after_ms". */
  status(query: StatusQuery, options: TransportOptions): CheckoutAnswer | Promise<CheckoutAnswer>;
  /** Ends the attempt, never the order: `POST …/cancel`. */
  cancel?(form: CancelForm, options: TransportOptions): CheckoutAnswer | Promise<CheckoutAnswer>;
}

export interface TransportOptions {
  /** Aborted when nobody waits for the answer any more. */
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
  /** For how many seconds the answer may be held, while nothing changes. */
  wait?: number;
  /** The version that the page has seen. */
  seen?: number;
  /** Ask WeChat now. */
  ask?: true;
}

export interface CancelForm {
  token: string;
  after: number;
}

/** What a backend says of an order; unknown fields are ignored. Durations in milliseconds. */
export interface CheckoutAnswer {
  state: "open" | "paid" | "closed";
  order_no: string;
  /** In fen; never a fraction. */
  total_fen: number;
  /** 0: none. */
  attempt: number;
  /** Of the current attempt. */
  product?: Product;
  version?: number;
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
  /** `false`: the gateway is a simulator, and the element says TEST. */
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

/** What WeChat's cashier is called with. All are texts. */
export interface PayParameters {
  appId: string;
  timeStamp: string;
  nonceStr: string;
  package: string;
  signType: string;
  paySign: string;
}

/** Names of what the element says. `language` and `direction` describe the words themselves. */
export type MessageName =
  | "language"
  | "direction"
  | "brand"
  | "test_ribbon"
  | "loading"
  | "pay"
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
  | "not_paid_yet"
  | "same_network"
  | "elsewhere"
  | "take_over"
  | "paid"
  | "you_paid"
  | "closed"
  | "expired"
  | "order_again"
  | "problem"
  | "problem_of_merchant"
  | "reload_to_pay"
  | "problem_of_network"
  | "problem_of_wechat"
  | "problem_of_system"
  | "problem_of_buyer"
  | "order_number"
  | "retry"
  | "nothing_fits"
  | "open_in_browser"
  | "open_in_wechat"
  | "mini_program"
  | "wechat_too_old"
  | "support"
  | "offline"
  | "reconnecting"
  | "load_failed"
  | "load_advice"
  | "reload"
  | "open_checkout";

/** Words of the page's own. What is not given is said in the widget's language. */
export type Messages = Partial<Record<MessageName, string>>;

/** Where the element is. */
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

/** `scene-decided`: where the buyer is, and the way that follows. */
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
   * With `paid` and `closed`: whether this is the first report in this tab. `false`: without the event
   * of that name.
   */
  first?: boolean;
}

/** `paid`: a cue to ask your own backend, which has heard it from WeChat. */
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
  /** For the buyer, in the element's language; of an attribute whose value is refused, for you. */
  message: string;
  /**
   * Where cause and fix are explained: a page beside the script, which a bundler copies that knows
   * `new URL("./…", import.meta.url)`. `problems.js` has the words.
   */
  hint: string;
  /** The attribute, or the contract's field, that it is about. */
  field: string | null;
  /** The other side's own words: for a log, never for the buyer. */
  raw: string | null;
}

/**
 * `telemetry`: how long it took from the element's start; reported to the page, and to nobody else.
 *
 * The cashier has no mark of its own: that it opened is `state-change` to `cashier`, and its answer is
 * the next one. Nor has the time from the payment to *paid* on the screen, for a page does not know
 * when its buyer paid; your backend does.
 */
export interface TelemetryDetail {
  /** `loaded`, or the name of an event. */
  mark: "loaded" | Exclude<keyof WechatPayEvents, "telemetry">;
  /** The state or the problem's code, where the event has one. */
  about: string;
  elapsed_ms: number;
}

/** The element's own events. All bubble and cross shadow roots. */
export interface WechatPayEvents {
  /** The first answer of the merchant API is there. */
  ready: CustomEvent<Record<string, never>>;
  /**
   * Before anything is started; and once more where WeChat says only later that a mini-program
   * shows the page.
   */
  "scene-decided": CustomEvent<SceneDetail>;
  /** A QR code is on the page; once for each code. */
  "qr-shown": CustomEvent<Record<string, never>>;
  /** The page is about to leave. */
  redirecting: CustomEvent<{ to: "h5" | "authorize" | "mini_program" | "success" }>;
  /** Each time that what the buyer sees is another. */
  "state-change": CustomEvent<StateChangeDetail>;
  /**
   * Once for an order and tab, before the `state-change` to `paid`. A page that is loaded anew, and
   * a second element of the order, have the `state-change` alone, with `first: false`.
   */
  paid: CustomEvent<PaidDetail>;
  /** As `paid`, at most once for an order and tab; on the backend's word alone. */
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

/** How `define` gets the WebAssembly: the one seam between the shipped loader and Trunk's page. */
export interface DefineOptions {
  loadBindings(): Promise<Bindings>;
  /** The element's name; `wechat-pay` when absent. */
  tag?: string;
}

/** Defines the element, once. */
export function define(options: DefineOptions): CustomElementConstructor;

declare global {
  interface HTMLElementTagNameMap {
    "wechat-pay": WechatPayElement;
  }
}
