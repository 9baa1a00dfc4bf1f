/** What the types reject: each line is a likely mistake. */
import type { Transport } from "../../src/wechat-pay";

const element = document.createElement("wechat-pay");

// @ts-expect-error no such product
element.scene = "alipay";
// @ts-expect-error there is no property for the amount: it never comes from the page
element.amount = 6910;
// @ts-expect-error no such theme
element.theme = "blue";
// @ts-expect-error no such message
element.messages = { payed: "Paid" };
// @ts-expect-error the detail is not a string
element.addEventListener("paid", ({ detail }) => detail.trim());
// @ts-expect-error `paid` does not identify the payer
element.addEventListener("paid", ({ detail }) => detail.openid);
// @ts-expect-error a transport without `status`
const halfTransport: Transport = { start: () => ({ state: "open", order_no: "1", total_fen: 1, attempt: 0 }) };
const wrong: Transport = {
  start: () => ({ state: "open", order_no: "1", total_fen: 1, attempt: 0 }),
  // @ts-expect-error no such state
  status: () => ({ state: "payed", order_no: "1", total_fen: 1, attempt: 0 }),
};
// @ts-expect-error `start` takes no argument: the backend has the amount
element.start(6910);

console.log(halfTransport, wrong);
