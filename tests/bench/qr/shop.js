// A merchant's site on this machine: the pages to compare, and a backend for those that have none of
// ours. It also is the address that notifications are sent to, so that their time is known to the
// millisecond; it hands them on to the merchant server.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { constants, brotliCompressSync } from "node:zlib";

/** What an order call to WeChat takes, for every page. */
export const ORDER_CALL_MS = 60;

const CODE_URL = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz";
const NOTHING = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
/** Without it nothing stands below a payment that could shift. */
const FOOTER = "<p>Delivered within three days.</p>";

/** The site; `close` ends it. */
export class Shop {
  #server = http.createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  #pages = new Map();
  #paidOrders = new Set();
  #lastOrder = 0;
  #images;

  /** Orders that a page of the site has made, newest last. */
  orders = [];
  /** When notifications came in, by this machine's clock. */
  notificationTimes = [];
  /** Where they are handed on to. */
  notificationsGoTo = "";

  /**
   * @param {string} folder with the bundled scripts of the pages
   * @param {{toString: Function, toBuffer: Function}} QRCode the library from npm
   */
  static async start(folder, QRCode) {
    const shop = new Shop();
    shop.#images = { code: await QRCode.toBuffer(CODE_URL, { margin: 4 }), nothing: NOTHING };
    const svg = await QRCode.toString(CODE_URL, { type: "svg", margin: 4 });
    const read = (name) => readFileSync(`${folder}/${name}`);
    shop.#put("/limit", "text/html", page(`<div id="code" style="width:240px">${svg}</div>`));
    shop.#put("/seed", "text/html", page('<canvas id="code"></canvas><p id="status"></p>', '<script type="module" src="/seed.js"></script>'));
    shop.#put("/seed.js", "text/javascript", read("seed.js"));
    const styles = '<link rel="stylesheet" href="/adyen.css">';
    shop.#put("/adyen", "text/html", page('<div id="payment"></div>', `${styles}<script type="module" src="/adyen.js"></script>`));
    shop.#put("/adyen.js", "text/javascript", read("adyen.js"));
    shop.#put("/adyen.css", "text/css", read("adyen.css"));
    shop.#server.listen(0, "127.0.0.1");
    await once(shop.#server, "listening");
    return shop;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Offers a page with our element for an order, as the README says, and gives its address. */
  embed({ origin: merchantServer, wasmPath }, token) {
    const element = `<wechat-pay token="${token}" merchant-api="${merchantServer}/v1"></wechat-pay>`;
    const script = `${merchantServer}/dist/wechat-pay.js`;
    const head =
      `<link rel="modulepreload" href="${script}"><link rel="preload" as="fetch" crossorigin href="${merchantServer}${wasmPath}">` +
      `<style>wechat-pay:not(:defined){display:block;min-height:560px}</style><script type="module" src="${script}"></script>`;
    this.#put(`/element/${token}`, "text/html", page(element, head));
    return `${this.origin}/element/${token}`;
  }

  /** From now on this order counts as paid; gives that moment, as a notification's would be. */
  pay(orderNo) {
    this.#paidOrders.add(orderNo);
    return wallClock();
  }

  async close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #put(path, type, text) {
    const parameters = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    this.#pages.set(path, { type: `${type}; charset=utf-8`, packed: brotliCompressSync(text, { params: parameters }) });
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    const stored = this.#pages.get(pathname);
    if (stored) {
      response.writeHead(200, { "content-type": stored.type, "content-encoding": "br", "cache-control": "no-store" }).end(stored.packed);
    } else if (pathname.startsWith("/wechat/notify/")) {
      await this.#handOn(request, response);
    } else if (pathname === "/api/pay") {
      await new Promise((resolve) => setTimeout(resolve, ORDER_CALL_MS));
      const orderNo = `SEED-${++this.#lastOrder}`;
      this.orders.push(orderNo);
      json(response, { code_url: CODE_URL, order_no: orderNo });
    } else if (pathname === "/api/paid") {
      json(response, { paid: this.#paidOrders.has(searchParams.get("order_no")) });
    } else if (pathname.startsWith("/adyen-live/")) {
      await this.#answerAsAdyen(pathname, request, response);
    } else {
      response.writeHead(404).end();
    }
  }

  /** Adyen's hosts: pictures, the code as a picture, the state of the payment. */
  async #answerAsAdyen(pathname, request, response) {
    if (pathname.endsWith("/barcode.png")) {
      response.writeHead(200, { "content-type": "image/png" }).end(this.#images.code);
    } else if (pathname.endsWith(".svg") || pathname.endsWith(".png")) {
      response.writeHead(200, { "content-type": "image/svg+xml" }).end(this.#images.nothing);
    } else if (pathname.endsWith("/status")) {
      const { paymentData } = JSON.parse(await bodyOf(request));
      const isPaid = this.#paidOrders.has(paymentData);
      json(response, isPaid ? { type: "complete", resultCode: "authorised", payload: "paid" } : { type: "pending", resultCode: "pending", payload: "" });
    } else {
      json(response, {});
    }
  }

  async #handOn(request, response) {
    this.notificationTimes.push(wallClock());
    const body = await bodyOf(request);
    const { host, connection, ...headers } = request.headers;
    const handedOn = http.request(`${this.notificationsGoTo}${request.url}`, { method: request.method, headers });
    handedOn.end(body);
    const [answer] = await once(handedOn, "response");
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Milliseconds since 1970, as a page counts them. */
export function wallClock() {
  return performance.timeOrigin + performance.now();
}

function page(body, head = "") {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Payment</title><link rel="icon" href="data:,">${head}<body>${body}${FOOTER}`;
}

function json(response, value) {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(value));
}
