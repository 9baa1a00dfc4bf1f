// The real merchant server with the simulator behind it, as programs of this machine.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_LIMIT_MS = 30_000;
/** An order that lasts longer than any page waits here. */
const ORDER_EXPIRES_IN_MS = 2 * 60 * 60 * 1000;

/**
 * What a benchmark decides about the servers.
 *
 * @typedef {object} Setting
 * @property {string} programs the folder with the built servers
 * @property {string} dist the folder with the widget
 * @property {string} [shopOrigin] the page that embeds the element; it also passes notifications on.
 *   Without it, WeChat notifies the merchant server itself.
 * @property {number} [orderCallMs] how long WeChat takes to create an order
 * @property {string} [database] the address of an empty database of PostgreSQL; a file unless given
 * @property {string} [webhookTarget] the address of the merchant's webhooks
 * @property {"v2" | "v3"} [api] the version of WeChat's API that makes orders; v3 unless given
 */

/** Both servers; `close` ends them. */
export class Merchant {
  #folder = mkdtempSync(join(tmpdir(), "bench-merchant-"));
  #key = randomBytes(24).toString("hex");
  #programs = [];
  #orders = 0;
  /** @type {Setting} */
  #setting;

  /** @param {Setting} setting */
  constructor(setting) {
    this.#setting = setting;
  }

  /** @param {Setting} setting */
  static async start(setting) {
    const merchant = new Merchant(setting);
    try {
      merchant.simulator = `http://127.0.0.1:${await freePort()}`;
      merchant.simulatorPid = await merchant.#run("wechat-pay-simulator", [
        "--listen", new URL(merchant.simulator).host, "--state", merchant.simulatorFolder,
      ], `${merchant.simulator}/phone`);
      if (setting.orderCallMs) {
        await send(`${merchant.simulator}/_simulator/faults`, {
          body: [{ route: "order", kind: "latency", rate: 1, delay_ms: setting.orderCallMs }],
        });
      }
      merchant.origin = `http://127.0.0.1:${await freePort()}`;
      writeFileSync(merchant.#configFile, merchant.#config(), { mode: 0o600 });
      await merchant.startServer();
      return merchant;
    } catch (error) {
      await merchant.close();
      throw error;
    }
  }

  /** Starts the merchant server, which has the same ledger each time. */
  async startServer() {
    this.serverPid = await this.#run("merchant-server", ["serve", "--config", this.#configFile], `${this.origin}/healthz`);
  }

  /** Ends the merchant server, and leaves the simulator running. */
  async stopServer() {
    const { child, ended } = this.#programs.pop();
    child.kill();
    await ended;
  }

  /** The folder with the simulator's keys and `merchant.json`. */
  get simulatorFolder() {
    return join(this.#folder, "simulator");
  }

  /** The path of the widget's WebAssembly, whose name changes with its content. */
  get wasmPath() {
    const { files } = JSON.parse(readFileSync(join(this.#setting.dist, "manifest.json"), "utf8"));
    return `/dist/${files.find(({ name }) => name.endsWith(".wasm")).name}`;
  }

  /** The ledger's file. */
  get ledger() {
    return join(this.#folder, "merchant-server.sqlite3");
  }

  /** The header with which a backend calls the merchant server. */
  get authorization() {
    return `Bearer ${this.#key}`;
  }

  get #configFile() {
    return join(this.#folder, "merchant-server.toml");
  }

  /** Creates an order and gives its token. */
  async order() {
    const { token } = await send(`${this.origin}/v1/orders`, {
      headers: { authorization: this.authorization },
      body: { order_no: `BENCH-${++this.#orders}`, total_fen: 6910, description: "云南小粒咖啡" },
    });
    return token;
  }

  /** The text of an order's code. */
  async codeUrl(token) {
    const { code_url } = await send(`${this.origin}/v1/checkouts/${token}`);
    return code_url;
  }

  /** Pays as the buyer's phone does; the simulator then sends its notification. */
  pay(codeUrl) {
    return send(`${this.simulator}/_simulator/pay`, { body: { code_url: codeUrl, outcome: "success" } });
  }

  /** The bytes of a file as sent over the network, still compressed. */
  async bytesOf(path) {
    const request = http.get(`${this.origin}${path}`, { agent: false, headers: { "accept-encoding": "br" } });
    const [response] = await once(request, "response");
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`);
    return { bytes, encoding: response.headers["content-encoding"] ?? "none" };
  }

  async close() {
    for (const { child } of this.#programs) child.kill();
    await Promise.all(this.#programs.map(({ ended }) => ended));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #config() {
    const text = JSON.stringify;
    const { dist, database = "merchant-server.sqlite3", shopOrigin = this.origin, webhookTarget, api = "v3" } = this.#setting;
    const webhooks = webhookTarget
      ? `[[webhooks]]\nurl = ${text(webhookTarget)}\nsecret = "whsec_${randomBytes(24).toString("base64")}"\n`
      : "";
    return `
listen = ${text(new URL(this.origin).host)}
public_base_url = ${text(this.origin)}
database = ${text(database)}
bundle_dir = ${text(dist)}
allowed_origins = [${text(shopOrigin)}]
return_origins = [${text(shopOrigin)}]
order_expires_in_ms = ${ORDER_EXPIRES_IN_MS}
# All buyers of the benchmark have one address, and some have a clock that runs fast.
rate_limits = { token_per_minute = 10000000, address_per_minute = 10000000 }
trusted_proxies = ["127.0.0.1"]

[[api_keys]]
name = "bench"
sha256 = "${createHash("sha256").update(this.#key).digest("hex")}"
${webhooks}
[gateway]
environment = "simulator"
base_url = ${text(this.simulator)}
# With the default, which is WeChat's own limit, every figure would be that limit: 300 a second.
calls_per_second = 100000

[merchant]
from_file = "simulator/merchant.json"
api = ${text(api)}
notify_base_url = ${text(shopOrigin)}
`;
  }

  /** Starts a program, waits until it answers, and gives its process id. */
  async #run(name, options, healthUrl) {
    const program = join(this.#setting.programs, name);
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("MERCHANT_SERVER__"));
    const child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"], env: Object.fromEntries(environment) });
    const ended = new Promise((resolve) => child.once("close", resolve));
    this.#programs.push({ child, ended });
    let lastLines = "";
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding("utf8").on("data", (text) => (lastLines = (lastLines + text).slice(-2000)));
    }
    const until = Date.now() + START_LIMIT_MS;
    while (child.exitCode === null && Date.now() < until) {
      if (await isWell(healthUrl)) return child.pid;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${program} did not start; its last lines:\n${lastLines}`);
  }
}

async function isWell(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** GET; or POST if there is a body: an object is sent as JSON, a text unchanged. */
export async function send(url, { headers = {}, body, text = body && JSON.stringify(body) } = {}) {
  const options = text ? { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text } : { headers };
  const response = await fetch(url, options);
  const answer = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer}`);
  return JSON.parse(answer);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
