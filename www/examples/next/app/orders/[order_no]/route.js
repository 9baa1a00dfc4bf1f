import { isPaid } from "../../../shop/orders.js";

export async function GET(_request, { params }) {
  const { order_no } = await params;
  const paid = isPaid(order_no);
  return paid === undefined ? new Response(null, { status: 404 }) : Response.json({ order_no, paid });
}
