// The merchant server's ledger, changed while the server does not run.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const FILL = fileURLToPath(new URL("./fill.py", import.meta.url));

/** Settles all orders, so that nothing is due, and adds settled orders up to this number. */
export async function settle(merchant, orders = 0) {
  await merchant.stopServer();
  execFileSync("python3", [FILL, merchant.ledger, String(orders)], { stdio: ["ignore", "ignore", "inherit"] });
  await merchant.startServer();
}
