/**
 * `<wechat-pay>` in JSX, for React 19 and similar frameworks: attributes by their names, and the
 * two properties that are objects. `import type {} from "wechat-pay-widget/jsx"` declares it. For
 * pages that a server renders, and for React 18, use the component `wechat-pay-widget/react`.
 */
import type { Messages, Transport, WechatPayAttributes, WechatPayElement, WechatPayEvents } from "./wechat-pay";

/** `on` and the event's name, as React 19 listens to custom elements. */
type Handlers = {
  [K in keyof WechatPayEvents as `on${K}`]?: (event: WechatPayEvents[K]) => void;
};

export interface WechatPayProps extends WechatPayAttributes, Handlers {
  messages?: Messages | null;
  transport?: Transport | null;
  id?: string;
  class?: string;
  className?: string;
  hidden?: boolean;
  key?: string | number | null;
  ref?: ((element: WechatPayElement | null) => void) | { current: WechatPayElement | null } | null;
  children?: unknown;
}

declare global {
  namespace JSX {
    interface IntrinsicElements {
      "wechat-pay": WechatPayProps;
    }
  }
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "wechat-pay": WechatPayProps;
    }
  }
}
