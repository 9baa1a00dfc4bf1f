// A shop's page, rendered on the server: the order exists before the browser has anything.
//
//   KEY=… WEBHOOK_SECRET=whsec_… npm start
//
// It needs www/dist (`cargo xtask dist`). MERCHANT_SERVER names another address.
import { createOrder } from "../shop/orders.js";
import { Pay } from "./pay.jsx";

/** SHOP: each visit of this page creates an order, so it is never rendered in advance. */
export const dynamic = "force-dynamic";

export default async function Page() {
  const order = await createOrder();
  return (
    <main>
      <h1>云南小粒咖啡 ¥69.10</h1>
      <Pay order={order} />
    </main>
  );
}
