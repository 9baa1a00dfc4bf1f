/**
 * `<wechat-pay>` as a React component, for React 18 and 19 and for pages that a server renders:
 * `import { WechatPay } from "wechat-pay-widget/react"`. It takes what the element takes in JSX.
 * Load the element too: `import "wechat-pay-widget"`, or its script.
 */
import type { ForwardRefExoticComponent, ReactNode, RefAttributes } from "react";
import type { WechatPayElement } from "./wechat-pay";
import type { WechatPayProps } from "./jsx";

export interface WechatPayComponentProps extends Omit<WechatPayProps, "ref" | "key" | "children"> {
  /** Shown until the element is there, and in the element after that. */
  children?: ReactNode;
}

export const WechatPay: ForwardRefExoticComponent<WechatPayComponentProps & RefAttributes<WechatPayElement>>;
