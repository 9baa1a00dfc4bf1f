// The page's transport: the element calls these functions in the place of a merchant API. The page names the order and
// nothing else; amount, key and addresses stay in the shop.
const order = JSON.parse(document.querySelector("#order").textContent);

async function call(route, signal) {
  const body = new URLSearchParams({ order_no: order.order_no });
  const { data, error } = await (await fetch(route, { method: "POST", body, signal })).json();
  if (error) throw { code: "WECHAT_REFUSED", message: error.message, retryable: false };
  return data;
}

// After any refund WeChat's state is REFUND, and the order was paid.
const STATES = { SUCCESS: "paid", REFUND: "paid", CLOSED: "closed" };
let code_url;

document.querySelector("wechat-pay").transport = {
  async start({ product }, { signal }) {
    ({ code_url } = await call("/shop/pay", signal));
    return { ...order, state: "open", attempt: 1, product, code_url };
  },
  async status(query, { signal }) {
    const state = STATES[(await call("/shop/query", signal)).trade_state] ?? "open";
    if (!code_url) return { ...order, state, attempt: 0 };
    const attempt = { attempt: 1, product: "native" };
    return { ...order, state, ...attempt, ...(state === "open" && { code_url }) };
  },
};
