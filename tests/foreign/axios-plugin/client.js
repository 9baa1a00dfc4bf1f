// A foreign client against the simulator: wechatpay-axios-plugin from npm, unchanged but for its
// address. Called as `client.js FOLDER`, with the folder of merchant.json. Prints a line for each
// thing that holds, and fails with the first that does not.

const assert = require("node:assert");
const { createHash, generateKeyPairSync } = require("node:crypto");
const { gunzipSync } = require("node:zlib");
const { Wechatpay, Aes, Rsa, Formatter } = require("wechatpay-axios-plugin");
const { control, holds, inbox, merchant, textOf } = require("./simulator.js");

const certificates = { [merchant.platform_serial_no]: textOf("platform_certificate_file") };
const publicKey = { [merchant.public_key_id]: textOf("public_key_file") };

function client(changes = {}) {
  return new Wechatpay({
    mchid: merchant.mchid,
    serial: merchant.serial_no,
    privateKey: textOf("private_key_file"),
    certs: { ...certificates, ...publicKey },
    baseURL: `${merchant.base_url}/`,
    ...changes,
  });
}

/// The merchant's notify_url: keeps notifications until they are read.
const openInbox = () =>
  inbox((headers, body) => ({ headers, body }), (response) => response.writeHead(204).end());

function opened({ headers, body }) {
  const serial = headers["wechatpay-serial"];
  const key = { ...certificates, ...publicKey }[serial];
  assert.ok(key, `an unknown serial: ${serial}`);
  const message = Formatter.response(
    headers["wechatpay-timestamp"],
    headers["wechatpay-nonce"],
    body,
  );
  assert.ok(Rsa.verify(message, headers["wechatpay-signature"], key), "the notification's signature");
  const { event_type, resource } = JSON.parse(body);
  const { ciphertext, nonce, associated_data } = resource;
  const plain = Aes.AesGcm.decrypt(ciphertext, merchant.api_v3_key, nonce, associated_data);
  return { event_type, resource: JSON.parse(plain) };
}

async function refused(call, status, code) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.response?.status, status, String(error));
    assert.equal(error.response.data.code, code);
    return;
  }
  assert.fail(`${code} was expected`);
}

async function main() {
  const { server, next } = await openInbox();
  const notify_url = `http://127.0.0.1:${server.address().port}/notify`;
  const wxpay = client();
  const { mchid, appid } = merchant;
  const out_trade_no = `JS${Date.now()}`;
  const order = {
    appid, mchid, out_trade_no, notify_url, description: "一壶茶",
    amount: { total: 1990, currency: "CNY" },
  };

  const ordered = await wxpay.v3.pay.transactions.native.post(order);
  assert.match(ordered.data.code_url, /^weixin:\/\/wxpay\/bizpayurl/);
  holds("order");
  const query = () =>
    wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.get({ params: { mchid }, out_trade_no });
  assert.equal((await query()).data.trade_state, "NOTPAY");
  holds("query");

  await control("pay", { code_url: ordered.data.code_url, outcome: "success" });
  const paid = opened(await next());
  assert.equal(paid.event_type, "TRANSACTION.SUCCESS");
  assert.equal(paid.resource.out_trade_no, out_trade_no);
  holds("notification received and opened");
  assert.equal((await query()).data.transaction_id, paid.resource.transaction_id);

  const out_refund_no = `R${out_trade_no}`;
  const refund = await wxpay.v3.refund.domestic.refunds.post({
    out_trade_no, out_refund_no, notify_url, amount: { refund: 990, total: 1990, currency: "CNY" },
  });
  assert.equal(refund.data.status, "PROCESSING");
  holds("refund");
  await control("refund/outcome", { mchid, out_refund_no, outcome: "success" });
  assert.equal(opened(await next()).event_type, "REFUND.SUCCESS");
  holds("notification of the refund");
  const back = await wxpay.v3.refund.domestic.refunds.$out_refund_no$.get({ out_refund_no });
  assert.equal(back.data.status, "SUCCESS");
  holds("refund query");

  const closing = `C${out_trade_no}`;
  await wxpay.v3.pay.transactions.native.post({ ...order, out_trade_no: closing });
  const closed = await wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.close.post(
    { mchid },
    { out_trade_no: closing },
  );
  assert.equal(closed.status, 204);
  holds("close");

  const bill_date = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
  const bill = await wxpay.v3.bill.tradebill.get({
    params: { bill_date, bill_type: "ALL", tar_type: "GZIP" },
  });
  const url = new URL(bill.data.download_url);
  const file = await wxpay.v3.billdownload.file.get({
    params: { token: url.searchParams.get("token") },
    responseType: "arraybuffer",
  });
  const plain = gunzipSync(Buffer.from(file.data));
  assert.equal(createHash("sha1").update(plain).digest("hex"), bill.data.hash_value);
  assert.ok(plain.toString().includes(out_trade_no));
  holds("bill downloaded, with its digest");

  const other = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const stranger = client({ privateKey: other.privateKey });
  await refused(
    () => stranger.v3.pay.transactions.native.post({ ...order, out_trade_no: `W${out_trade_no}` }),
    401,
    "SIGN_ERROR",
  );
  holds("a wrong merchant key is refused");
  const doubting = client({
    certs: {
      [merchant.platform_serial_no]: other.publicKey,
      [merchant.public_key_id]: other.publicKey,
    },
  });
  await assert.rejects(
    doubting.v3.pay.transactions.native.post({ ...order, out_trade_no: `D${out_trade_no}` }),
    /Verify the response/,
  );
  holds("a reply that the client's key does not fit is not believed");
  server.close();
  console.log("all holds");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
