// A shop's page with React. It orders at the shop's backend, and shows the element with the order's token.
//
//   npm start
//
// It needs www/dist (`cargo xtask dist`) and one of the backends in ../backends; SHOP names its address.
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Pay } from "./Pay.jsx";

function Shop() {
  const [order, setOrder] = useState(null);
  const [notice, setNotice] = useState("");

  async function buy() {
    const response = await fetch("/orders", { method: "POST" });
    if (response.ok) setOrder(await response.json());
    else setNotice("下单失败，请稍后重试");
  }

  return (
    <main>
      <h1>云南小粒咖啡 ¥69.10</h1>
      {order ? <Pay order={order} onPaid={() => setNotice("已支付，谢谢！")} /> : <button onClick={buy}>购买</button>}
      <p role="status">{notice}</p>
    </main>
  );
}

createRoot(document.getElementById("app")).render(
  <StrictMode>
    <Shop />
  </StrictMode>,
);
