/**
 * `<wechat-pay>` in Vue's templates, for Vue 3 and its language tools: attributes and properties by
 * their names, events by `@` and the name. `import type {} from "wechat-pay-widget/vue"` declares
 * it. Nothing else in this package needs Vue.
 */
import type { HTMLAttributes, PublicProps } from "vue";
import type { Messages, Transport, WechatPayAttributes, WechatPayElement, WechatPayEvents } from "./wechat-pay";

/** Vue's templates treat `merchant-api` and `merchantApi` as the same name. */
type Camel<Text extends string> = Text extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Text;

/** The type of an attribute. */
export type WechatPayProps = {
  [K in keyof WechatPayAttributes as Camel<K>]?: WechatPayAttributes[K] | null;
} & {
  messages?: Messages | null;
  transport?: Transport | null;
};

/** `onStateChange`: the property that Vue makes from `@state-change`. */
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
