/** React 19: attributes by name, objects as properties, events as `on` and the event's name. */
import type {} from "../../src/jsx";
import { WechatPay } from "../../src/react";
import type { Transport, WechatPayElement } from "../../src/wechat-pay";

export function Checkout({ token, transport }: { token: string; transport?: Transport }) {
  return (
    <wechat-pay
      token={token}
      merchant-api="/v1"
      locale="en"
      transport={transport}
      onpaid={({ detail }) => console.log(detail.order_no)}
      auto-start={false}
      onstate-change={({ detail }) => console.log(detail.state, detail.first ?? "")}
    >
      <a href="/help">Help</a>
    </wechat-pay>
  );
}

/** For server-rendered pages and React 18: the component, with the same names. */
export function Rendered({ token, transport }: { token: string; transport: Transport }) {
  const element = { current: null as WechatPayElement | null };
  return (
    <WechatPay
      ref={element}
      token={token}
      transport={transport}
      messages={{ scan: "Scan me" }}
      onpaid={({ detail }) => console.log(detail.order_no)}
    >
      <a href="/help">Help</a>
    </WechatPay>
  );
}

// A backend's template and React 18 write the string.
export const quiet = <wechat-pay auto-start="false" />;
// @ts-expect-error a flag is true or false
export const wrongFlag = <wechat-pay auto-start="no" />;
// @ts-expect-error no such product
export const wrongScene = <wechat-pay scene="alipay" />;
// @ts-expect-error the handler gets an event, not a string
export const wrongHandler = <wechat-pay onpaid={(text: string) => text} />;
// @ts-expect-error no such message
export const wrongMessage = <WechatPay token="t" messages={{ scann: "Scan me" }} />;
