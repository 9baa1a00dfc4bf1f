/** A page without a framework: the element, its events, and the page's own backend. */
import type { CheckoutAnswer, ProblemDetail, Transport } from "../../src/wechat-pay";

const element = document.createElement("wechat-pay");
element.token = "Zk3v0123456789ab";
element.merchantApi = "https://pay.shop.example/v1";
element.scene = "native";
element.autoStart = true;
element.messages = { paid: "お支払いが完了しました", language: "ja" };

element.addEventListener("paid", ({ detail }) => {
  const fen: number = detail.total_fen;
  console.log(detail.order_no, fen);
});
element.addEventListener("scene-decided", (event) => console.log(event.detail.product?.toUpperCase()));
element.addEventListener("problem", ({ detail }) => report(detail));
element.addEventListener("telemetry", ({ detail }) => console.log(detail.mark, detail.elapsed_ms));
element.addEventListener("click", (event) => console.log(event.clientX));

function report({ code, actor, recoverable, message, hint, field, raw }: ProblemDetail) {
  console.warn(code, actor, recoverable, message, hint, field, raw);
}

const answer = (await (await fetch("/checkout")).json()) as CheckoutAnswer;
const transport: Transport = {
  start: async ({ product, after }, { signal }) =>
    (await fetch(`/pay?product=${product}&after=${after}`, { method: "POST", signal })).json(),
  status: () => answer,
};
element.transport = transport;

document.body.append(element);
const isReady: boolean = element.start() || element.refresh() || element.cancel() || element.resume();
console.log(isReady);
document.querySelector("wechat-pay")?.destroy();
