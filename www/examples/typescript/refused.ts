/** What the types refuse: each line is a mistake that somebody would make. */
import type { Transport } from "../../src/wechat-pay";

const element = document.createElement("wechat-pay");

// @ts-expect-error no such product
element.scene = "alipay";
// @ts-expect-error an amount is no property: it never comes from the page
element.amount = 6910;
// @ts-expect-error no such theme
element.theme = "blue";
// @ts-expect-error no such word
element.messages = { payed: "Paid" };
// @ts-expect-error the detail is no text
element.addEventListener("paid", ({ detail }) => detail.trim());
// @ts-expect-error `paid` says nothing of the payer
element.addEventListener("paid", ({ detail }) => detail.openid);
// @ts-expect-error a transport that cannot say how the order stands
const halfTransport: Transport = { start: () => ({ state: "open", order_no: "1", total_fen: 1, attempt: 0 }) };
const wrong: Transport = {
  start: () => ({ state: "open", order_no: "1", total_fen: 1, attempt: 0 }),
  // @ts-expect-error no such state
  status: () => ({ state: "payed", order_no: "1", total_fen: 1, attempt: 0 }),
};
// @ts-expect-error it takes nothing: the backend has the amount
element.start(6910);

console.log(halfTransport, wrong);
