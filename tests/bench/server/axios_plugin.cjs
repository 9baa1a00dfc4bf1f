// JSAPI orders by wechatpay-axios-plugin: `axios_plugin.cjs FOLDER ORDERS OPENID`, with the folder of
// merchant.json. Prints one JSON object.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Formatter, Rsa, Wechatpay } = require("wechatpay-axios-plugin");

const CLIENTS = 8;
const [folder, count, openid] = process.argv.slice(2);
const merchant = JSON.parse(readFileSync(join(folder, "merchant.json")));
const textOf = (name) => readFileSync(join(folder, merchant[name]), "utf8");
const privateKey = textOf("private_key_file");
const client = new Wechatpay({
  mchid: merchant.mchid,
  serial: merchant.serial_no,
  privateKey,
  certs: {
    [merchant.platform_serial_no]: textOf("platform_certificate_file"),
    [merchant.public_key_id]: textOf("public_key_file"),
  },
  baseURL: `${merchant.base_url}/`,
});

async function order(index) {
  const { data } = await client.v3.pay.transactions.jsapi.post({
    mchid: merchant.mchid,
    appid: merchant.appid,
    out_trade_no: `AXIOS${process.pid}${index}`,
    description: "茶",
    notify_url: "https://shop.example/notify",
    amount: { total: 100 },
    payer: { openid },
  });
  const signed = [merchant.appid, `${Formatter.timestamp()}`, Formatter.nonce(), `prepay_id=${data.prepay_id}`];
  return Rsa.sign(Formatter.joinedByLineFeed(...signed), privateKey);
}

async function main() {
  let next = 0;
  const page = async () => {
    while (next < Number(count)) await order(next++);
  };
  const before = process.cpuUsage();
  const begunMs = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, page));
  const seconds = (performance.now() - begunMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ perSecond: Math.round(count / seconds), cpuUs: Math.round((user + system) / count) }));
}

main();
