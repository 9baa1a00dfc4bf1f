/**
 * `<wechat-pay>` in Vue's templates, for Vue 3 and its language tools: attributes and properties
 * by their names, events by `@` and the name.
 * `import type {} from "wechat-pay-widget/vue"` makes it known. Nothing else of this package
 * needs Vue.
 */
import type { HTMLAttributes, PublicProps } from "vue";
import type { Messages, Transport, WechatPayAttributes, WechatPayElement, WechatPayEvents } from "./wechat-pay";

/** `merchant-api` and `merchantApi` are one to Vue's templates. */
type Camel<Text extends string> = Text extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Text;

/** What an attribute may be. */
export type WechatPayProps = {
  [K in keyof WechatPayAttributes as Camel<K>]?: WechatPayAttributes[K] | null;
} & {
  messages?: Messages | null;
  transport?: Transport | null;
};

/** `onStateChange`: what Vue makes of `@state-change`. */
export type WechatPayListeners = {
  [K in keyof WechatPayEvents as `on${Capitalize<Camel<K>>}`]?: (event: WechatPayEvents[K]) => void;
};

/** One overload for each event, as Vue's language tools look them up. */
type Emit = {
  [K in keyof WechatPayEvents]: (overload: (name: K, event: WechatPayEvents[K]) => void) => void;
}[keyof WechatPayEvents] extends (overloads: infer Overloads) => void
  ? Overloads
  : never;

/** The element, as a template sees it. A template's `ref` is the element itself. */
export type WechatPayInTemplates = new () => WechatPayElement & {
  $props: WechatPayProps & WechatPayListeners & HTMLAttributes & PublicProps;
  $emit: Emit;
};

declare module "vue" {
  interface GlobalComponents {
    "wechat-pay": WechatPayInTemplates;
  }
}
