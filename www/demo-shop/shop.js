// The shop's half of a payment on this page. The element's `paid` event is only the cue to ask:
// what counts is what the shop's own server has heard from the merchant server.

const order = document.querySelector("[data-order-state]");

order.querySelector("wechat-pay").addEventListener("paid", async () => {
  const response = await fetch(order.dataset.statePath);
  // Exactly `true`: whatever else an object may have inherited is no word of the server's.
  if (!response.ok || (await response.json()).paid !== true) return;
  order.dataset.orderState = "paid";
  order.querySelector(".thanks").hidden = false;
  document.title = `已支付 · ${document.title}`;
});
