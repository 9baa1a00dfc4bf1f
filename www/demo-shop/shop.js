// The shop's part of a payment on this page. The element's `paid` event only triggers a request: the
// answer of the shop's own server, which asks the merchant server, decides.

const order = document.querySelector("[data-order-state]");

order.querySelector("wechat-pay").addEventListener("paid", async () => {
  const response = await fetch(order.dataset.statePath);
  // Exactly `true`: an object may inherit any other value, which the server did not send.
  if (!response.ok || (await response.json()).paid !== true) return;
  order.dataset.orderState = "paid";
  order.querySelector(".thanks").hidden = false;
  document.title = `已支付 · ${document.title}`;
});
