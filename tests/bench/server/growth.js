// What an attempt costs as the ledger grows.
import { attempts, orders } from "./calls.js";
import { settle } from "./ledger.js";

const CALLS = 1_000;

/** Fills the ledger to each number of orders, and starts attempts of new orders then. */
export async function growth(merchant, steps, { clients }) {
  const figures = [];
  for (const rows of steps) {
    await settle(merchant, rows);
    const { tokens } = await orders(merchant, { calls: CALLS, clients });
    figures.push({ rows, ...(await attempts(merchant, tokens, { clients })) });
  }
  return figures;
}
