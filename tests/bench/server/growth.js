// What an attempt costs as the ledger grows.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { attempts, orders } from "./calls.js";

const FILL = fileURLToPath(new URL("./fill.py", import.meta.url));
const CALLS = 1_000;

/** Fills the ledger to each number of orders, and starts attempts of new orders then. */
export async function growth(merchant, steps, { clients }) {
  const figures = [];
  for (const rows of steps) {
    await merchant.stopServer();
    execFileSync("python3", [FILL, merchant.ledger, String(rows)], { stdio: ["ignore", "ignore", "inherit"] });
    await merchant.startServer();
    const { tokens } = await orders(merchant, { calls: CALLS, clients });
    figures.push({ rows, ...(await attempts(merchant, tokens, { clients })) });
  }
  return figures;
}
