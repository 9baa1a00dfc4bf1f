/** Vue: the types of `<wechat-pay token="…" merchant-api="/v1" @paid="…">` in a template. */
import type { GlobalComponents } from "vue";
import type {} from "../../src/vue";
import type { Transport } from "../../src/wechat-pay";

type Props = InstanceType<GlobalComponents["wechat-pay"]>["$props"];
declare const transport: Transport;

export const checkout: Props = {
  token: "Zk3v0123456789ab",
  merchantApi: "/v1",
  theme: "dark",
  autoStart: true,
  transport,
  class: "checkout",
  key: 1,
  onPaid: ({ detail }) => console.log(detail.order_no),
  onStateChange: (event) => console.log(event.detail.state),
  onQrShown: () => {},
};

// A template's ref is the element.
declare const element: InstanceType<GlobalComponents["wechat-pay"]>;
element.refresh();
element.$emit("paid", new CustomEvent("paid", { detail: { order_no: "1", out_trade_no: null, total_fen: 1 } }));

// @ts-expect-error no such product
export const wrongScene: Props = { scene: "alipay" };
// @ts-expect-error an amount never comes from the page
export const wrongAmount: Props = { token: "Zk3v0123456789ab", amount: 6910 };
// @ts-expect-error the handler gets an event, not a string
export const wrongHandler: Props = { onPaid: (text: string) => text };
// @ts-expect-error a problem has no openid
export const wrongDetail: Props = { onProblem: ({ detail }) => detail.openid };
