// Calls of one kind, made by many clients at once, and what each costs the server.
import http from "node:http";

import { send } from "../merchant.js";
import { percentile } from "../rows.js";
import { cpuUs } from "./usage.js";

let orderCount = 0;

/** Creates orders; `tokens` are theirs. */
export async function orders(merchant, { calls, clients }) {
  const openid = await anOpenid(merchant);
  const client = new Client(merchant.origin, clients);
  const tokens = [];
  const headers = { authorization: merchant.authorization, "content-type": "application/json" };
  const figures = await measured(merchant, { calls, clients }, async () => {
    const body = { order_no: `LOAD-${++orderCount}`, total_fen: 100, description: "茶", payer: { openid } };
    const answer = await client.call("POST", "/v1/orders", headers, JSON.stringify(body));
    tokens.push(JSON.parse(answer).token);
  });
  client.close();
  return { ...figures, tokens };
}

/** Starts a JSAPI attempt of each order. */
export async function attempts(merchant, tokens, { clients }) {
  const client = new Client(merchant.origin, clients);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const figures = await measured(merchant, { calls: tokens.length, clients }, (index) =>
    client.call("POST", `/v1/checkouts/${tokens[index]}/attempts`, headers, "product=jsapi"),
  );
  client.close();
  return figures;
}

/** Reads the state of orders. */
export async function reads(merchant, tokens, { calls, clients }) {
  const client = new Client(merchant.origin, clients);
  const figures = await measured(merchant, { calls, clients }, (index) =>
    client.call("GET", `/v1/checkouts/${tokens[index % tokens.length]}`, {}),
  );
  client.close();
  return figures;
}

/** An openid of a buyer of the simulated merchant. */
async function anOpenid(merchant) {
  const [{ openids }] = await send(`${merchant.simulator}/_simulator/merchants`);
  return Object.values(openids)[0];
}

/**
 * Makes the calls, and divides the CPU time of both servers by their number. With `settled`, the CPU
 * time counts until that is over, too.
 */
export async function measured(merchant, { calls, clients }, call, settled) {
  const latencies = [];
  let next = 0;
  const client = async () => {
    while (next < calls) {
      const index = next++;
      const begunMs = performance.now();
      await call(index);
      latencies.push(performance.now() - begunMs);
    }
  };
  const before = { server: cpuUs(merchant.serverPid), simulator: cpuUs(merchant.simulatorPid) };
  const begunMs = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const tookMs = performance.now() - begunMs;
  await settled?.();
  return {
    perSecond: Math.round((calls / tookMs) * 1000),
    serverUs: Math.round((cpuUs(merchant.serverPid) - before.server) / calls),
    simulatorUs: Math.round((cpuUs(merchant.simulatorPid) - before.simulator) / calls),
    p50Ms: percentile(latencies, 0.5).toFixed(1),
    p99Ms: percentile(latencies, 0.99).toFixed(1),
  };
}

/** HTTP over connections that stay open. */
class Client {
  #agent;
  #origin;

  constructor(origin, connections) {
    this.#origin = new URL(origin);
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  }

  /** The body of a successful answer. */
  call(method, path, headers, body = "") {
    return new Promise((resolve, reject) => {
      const { hostname: host, port } = this.#origin;
      const length = method === "POST" ? { "content-length": Buffer.byteLength(body) } : {};
      const request = http.request({ agent: this.#agent, host, port, method, path, headers: { ...headers, ...length } });
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => (text += part));
        response.on("error", reject);
        response.on("end", () => {
          const isSuccess = response.statusCode < 300;
          if (isSuccess) resolve(text);
          else reject(new Error(`${method} ${path} answered ${response.statusCode}: ${text}`));
        });
      });
      request.end(body);
    });
  }

  close() {
    this.#agent.destroy();
  }
}
