/**
 * WeChat around a page of a mini-program, in Node: `wx` over real HTTP, with the simulator behind
 * it. Takes what it needs as one JSON argument, opens the page, plays the buyer, and writes what it
 * saw as JSON.
 */
const given = JSON.parse(process.argv[2]);
const seen = { states: [], sheets: [], refusals: [], logins: 0, backs: 0 };

const PAGE = "../../www/miniprogram/pages/wechat-pay";

async function post(address, body) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${address} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** The buyer, and WeChat's own cashier: it knows the mini-program's appid by itself. */
async function cashier(parameters) {
  const act = given.buyer.shift();
  const params = { appId: given.appId, ...parameters };
  if (act === "forge") params.nonceStr = `${params.nonceStr}x`;
  const opened = await post(`${given.cashier}/cashier`, params);
  if (opened.result) {
    seen.refusals.push(opened.result.err_desc);
    return opened.result.err_msg;
  }
  seen.sheets.push(opened.sheet);
  const { result } = await post(`${given.cashier}/outcome`, { params, outcome: act });
  return result.err_msg;
}

globalThis.wx = {
  request({ url, method, data, header, success, fail }) {
    const form = new URLSearchParams(data);
    const init = method === "POST" ? { method, headers: header, body: form } : { method };
    fetch(url, init)
      .then(async (response) => {
        const text = await response.text();
        let body = text;
        try {
          body = JSON.parse(text);
        } catch {
          // WeChat returns the text if it is not JSON.
        }
        success({ statusCode: response.status, data: body });
      })
      .catch((error) => fail({ errMsg: `request:fail ${error.message}` }));
  },
  login({ success, fail }) {
    seen.logins += 1;
    post(`${given.simulator}/_simulator/login`, {}).then(success, fail);
  },
  requestPayment({ success, fail, ...parameters }) {
    cashier(parameters).then((message) => {
      const outcome = message.slice(message.indexOf(":") + 1);
      if (outcome === "ok") success({ errMsg: "requestPayment:ok" });
      else fail({ errMsg: `requestPayment:${outcome === "cancel" ? "fail cancel" : outcome}` });
    });
  },
  navigateBack() {
    seen.backs += 1;
    end();
  },
  getAppBaseInfo: () => ({ language: "zh_CN" }),
};

let page;
globalThis.Page = (options) => {
  page = { ...options, data: { ...options.data }, setData };
};

function setData(data) {
  Object.assign(page.data, data);
  seen.states.push(data.state);
  if (data.state !== "unpaid") return;
  // The buyer tries again, or leaves it at that.
  if (given.buyer.length > 0) setTimeout(() => page.tap({ currentTarget: { dataset: { does: "pay" } } }));
  else end();
}

function end() {
  page.onUnload();
  console.log(JSON.stringify(seen));
}

// As a merchant writes it into the file.
require(`${PAGE}/config.js`).merchantApi = given.merchantApi;
require(`${PAGE}/wechat-pay.js`);
const [, query] = given.path.split("?");
// WeChat hands the values on as they are written.
page.onLoad(Object.fromEntries(query.split("&").map((pair) => pair.split("="))));
