/** Types of `<wechat-pay>`: what the element takes, says and fires. */

/** A way of paying, in the words of the contract. */
export type Product = "jsapi" | "h5" | "native" | "mini_program";

/** The element. Properties are its attributes; setting one of them begins anew. */
export interface WechatPayElement extends HTMLElement {
  /** The order's token, from `POST /v1/orders`. Required. */
  token: string | null;
  /** Base of the merchant API: an http(s) address or a path. Required. */
  merchantApi: string | null;
  /** `auto`, or the product that the page insists on. */
  scene: "auto" | Product | null;
  /** Language tag; the page's language when absent. */
  locale: string | null;
  /** Where the buyer goes after a payment. */
  successUrl: string | null;
  /** Where the buyer comes back to; the page's own address when absent. */
  returnUrl: string | null;
  /** Open WeChat's cashier without a click (JSAPI only). */
  autoStart: boolean | string | null;
  /** The hosted checkout page, offered where the widget cannot run. */
  checkoutUrl: string | null;
  /** Begins to pay, as the buyer's click does. `false`: not ready. */
  start(): boolean;
  /** A new QR code, where the old one has expired. `false`: not ready. */
  refresh(): boolean;
  /** Ends the attempt, never the order. `false`: not ready. */
  cancel(): boolean;
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
}

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

/** `paid`: a cue to ask your own backend, which has heard it from WeChat. */
export interface PaidDetail {
  order_no: string;
  out_trade_no: string | null;
  total_fen: number;
}

/** `problem`: what went wrong, who can act, and whether trying again helps. */
export interface ProblemDetail {
  code: string;
  actor: "buyer" | "merchant" | "network" | "wechat" | "internal";
  recoverable: boolean;
  field: string | null;
  raw: string | null;
}

/** The element's events. All bubble and cross shadow roots. */
export interface WechatPayEventMap extends HTMLElementEventMap {
  /** The first answer of the merchant API is there. */
  ready: CustomEvent<Record<string, never>>;
  "scene-decided": CustomEvent<SceneDetail>;
  /** A QR code is on the page; once for each code. */
  "qr-shown": CustomEvent<Record<string, never>>;
  /** The page is about to leave. */
  redirecting: CustomEvent<{ to: "h5" | "authorize" | "success" }>;
  "state-change": CustomEvent<{ state: State }>;
  /** Once, ever. */
  paid: CustomEvent<PaidDetail>;
  /** At most once. */
  closed: CustomEvent<Record<string, never>>;
  problem: CustomEvent<ProblemDetail>;
}

/** What the WebAssembly exports. */
export interface Bindings {
  mount(
    container: HTMLElement,
    options: Record<string, string>,
    emit: (name: string, detail: unknown) => void,
  ): Embedded;
  theme(): string;
}

/** One mounted widget. */
export interface Embedded {
  want(intent: string): boolean;
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
