// A shop's page in React: once with the component of the package, and once with the bare element, as
// a page writes it that does not know of hydration.
import { createElement, useState } from "react";
import { WechatPay } from "../../../www/src/react.js";

/** `page`: what the shop has on its page; the same on the server and in the browser. */
export function App({ page, merchantApi, token }) {
  const [language, setLanguage] = useState("zh-CN");
  const [messages, setMessages] = useState({ scan: "扫我" });
  if (typeof window === "object") Object.assign(window, { setLanguage, setMessages });
  const properties = { id: "pay", token, locale: language, messages };
  if (page === "api") properties["merchant-api"] = merchantApi;
  else properties.transport = transport;
  if (page === "bare") return createElement("wechat-pay", properties);
  // New functions with each rendering, as most pages have them.
  const onpaid = (event) => window.heardByReact.push(`paid ${event.detail.order_no} ${language}`);
  const onproblem = (event) => window.heardByReact.push(`problem ${event.detail.code}`);
  const ref = (element) => element && (window.referred = element.localName);
  const help = createElement("p", { id: "help" }, "help");
  return createElement("main", null, createElement(WechatPay, { ...properties, onpaid, onproblem, ref }, help));
}

const order = { state: "open", order_no: "OWN-0001", total_fen: 6910, attempt: 0, products: ["native"], live: true };
const code = { ...order, attempt: 1, product: "native", code_url: "weixin://wxpay/bizpayurl?pr=JyC91EIz1" };
let answer = order;

/** The shop's own backend. */
const transport = {
  start: () => (answer = code),
  status: async () => answer,
};

if (typeof window === "object") window.payOwn = () => (answer = { ...code, state: "paid" });
