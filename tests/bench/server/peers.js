// The same JSAPI order by other clients, which keep no ledger: what the order and the cashier's
// signature cost them.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { send } from "../merchant.js";

const run = promisify(execFile);
const program = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Orders a second and CPU time of each order, for each client. */
export async function peers(merchant, { modules, python, calls }) {
  const [{ openids }] = await send(`${merchant.simulator}/_simulator/merchants`);
  const given = [merchant.simulatorFolder, String(calls), openids[0]];
  const clients = [
    ["wechatpay-axios-plugin (npm)", process.execPath, program("axios_plugin.cjs"), { NODE_PATH: modules }],
    ["wechatpayv3 (PyPI)", python, program("wechatpayv3_order.py"), {}],
  ];
  const figures = [];
  for (const [name, command, file, environment] of clients) {
    const { stdout } = await run(command, [file, ...given], { env: { ...process.env, ...environment } });
    figures.push({ name, ...JSON.parse(stdout.trim().split("\n").pop()) });
  }
  return figures;
}
