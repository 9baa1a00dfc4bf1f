import { receive } from "../../shop/orders.js";

export async function POST(request) {
  try {
    receive(await request.text(), Object.fromEntries(request.headers));
  } catch (refusal) {
    return new Response(refusal.message, { status: 401 });
  }
  return new Response(null, { status: 204 });
}
