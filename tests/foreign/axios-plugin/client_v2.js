// A foreign client of version 2 against the simulator: wechatpay-axios-plugin from npm, unchanged but
// for its address. Called as `client_v2.js FOLDER`, with the folder of merchant.json, and with the
// simulator's address over HTTPS in FOREIGN_HTTPS, whose authority NODE_EXTRA_CA_CERTS names. Prints a
// line for each thing that holds, and fails with the first that does not.

const assert = require("node:assert");
const { gunzipSync } = require("node:zlib");
const { Wechatpay, Aes, Hash, Formatter, Transformer } = require("wechatpay-axios-plugin");
const { control, holds, inbox, merchant, textOf } = require("./simulator.js");

const { mchid: mch_id, appid, api_v2_key } = merchant;

/// The calls whose connection presents the merchant's certificate.
const certified = { security: true };

function client(secret = api_v2_key) {
  return new Wechatpay({
    mchid: mch_id,
    serial: merchant.serial_no,
    privateKey: textOf("private_key_file"),
    certs: { [merchant.public_key_id]: textOf("public_key_file") },
    secret,
    merchant: { cert: textOf("certificate_file"), key: textOf("private_key_file") },
    baseURL: `${process.env.FOREIGN_HTTPS}/`,
  });
}

/// The merchant's notify_url: accepts each notification in XML, and keeps it until it is read.
const openInbox = () =>
  inbox((_, body) => Transformer.toObject(body), (response) =>
    response.end(Transformer.toXml({ return_code: "SUCCESS", return_msg: "OK" })));

async function refused(call, field, expected) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.code, "EV2_RES_STATUS_CODE_NOT_SUCESS", String(error));
    assert.equal(error.response.data[field], expected);
    return;
  }
  assert.fail(`${expected} was expected`);
}

async function pay(sign_type, next, notify_url) {
  const wxpay = client();
  const out_trade_no = `V2${sign_type.slice(0, 1)}${Date.now()}`;
  const account = { appid, mch_id, sign_type };
  const order = {
    ...account, body: "一壶茶 <&>", out_trade_no, total_fee: 1990, notify_url,
    spbill_create_ip: "203.0.113.7", trade_type: "NATIVE", product_id: "tea",
  };
  const ordered = await wxpay.v2.pay.unifiedorder.post(order);
  assert.match(ordered.data.code_url, /^weixin:\/\/wxpay\/bizpayurl/);
  holds(`${sign_type}: order`);
  const query = async () => (await wxpay.v2.pay.orderquery.post({ ...account, out_trade_no })).data;
  assert.equal((await query()).trade_state, "NOTPAY");
  holds(`${sign_type}: query`);

  await control("pay", { code_url: ordered.data.code_url, outcome: "success" });
  const paid = await next();
  assert.equal(paid.sign, Hash.sign(sign_type, paid, api_v2_key));
  assert.equal(paid.out_trade_no, out_trade_no);
  assert.equal(paid.total_fee, "1990");
  assert.equal((await query()).transaction_id, paid.transaction_id);
  holds(`${sign_type}: notification received and verified`);

  const out_refund_no = `R${out_trade_no}`;
  const refund = { ...account, out_trade_no, out_refund_no, total_fee: 1990, refund_fee: 990, notify_url };
  const accepted = (await wxpay.v2.secapi.pay.refund.post(refund, certified)).data;
  assert.equal(accepted.refund_fee, "990");
  holds(`${sign_type}: refund`);
  await control("refund/outcome", { mchid: mch_id, out_refund_no, outcome: "success" });
  const { req_info } = await next();
  const opened = Aes.AesEcb.decrypt(req_info, Hash.md5(api_v2_key));
  assert.equal(Transformer.toObject(opened).out_refund_no, out_refund_no);
  holds(`${sign_type}: notification of the refund opened`);
  const found = (await wxpay.v2.pay.refundquery.post({ ...account, out_trade_no })).data;
  assert.equal(found.refund_count, "1");
  assert.equal(found.refund_status_0, "SUCCESS");
  holds(`${sign_type}: refund query`);
  return { out_trade_no, account, order, bill_date: paid.time_end.slice(0, 8) };
}

async function main() {
  const { server, next } = await openInbox();
  const notify_url = `http://127.0.0.1:${server.address().port}/notify`;
  const wxpay = client();
  await pay("HMAC-SHA256", next, notify_url);
  const { out_trade_no, account, order, bill_date } = await pay("MD5", next, notify_url);

  await refused(() => wxpay.v2.pay.closeorder.post({ ...account, out_trade_no }), "err_code", "ORDERPAID");
  const closing = `C${out_trade_no}`;
  await wxpay.v2.pay.unifiedorder.post({ ...order, out_trade_no: closing });
  await control("clock", { advance_s: 300 });
  await wxpay.v2.pay.closeorder.post({ ...account, out_trade_no: closing });
  holds("close");

  const { auth_code } = await control("auth_code", { payer: 2 });
  const owner = await wxpay.v2.tools.authcodetoopenid.post({ ...account, auth_code });
  const scanned = {
    ...account, auth_code, body: "茶", out_trade_no: `M${out_trade_no}`, total_fee: 100,
    spbill_create_ip: "203.0.113.7",
  };
  const taken = (await wxpay.v2.pay.micropay.post(scanned)).data;
  assert.equal(taken.openid, owner.data.openid);
  holds("code pay");
  const reversing = { ...account, out_trade_no: scanned.out_trade_no };
  const reversed = await wxpay.v2.secapi.pay.reverse.post(reversing, certified);
  assert.equal(reversed.data.recall, "N");
  holds("reverse");

  const link = {
    appid, mch_id, product_id: "tea", time_stamp: String(Formatter.timestamp()),
    nonce_str: Formatter.nonce(),
  };
  const sign = Hash.sign("MD5", link, api_v2_key);
  const long_url = `weixin://wxpay/bizpayurl?${new URLSearchParams({ sign, ...link })}`;
  const short = (await wxpay.v2.tools.shorturl.post({ ...account, long_url })).data;
  assert.match(short.short_url, /^weixin:\/\/wxpay\/s\//);
  holds("short link");

  const packed = await wxpay.v2.pay.downloadbill.post(
    { ...account, bill_date, bill_type: "ALL", tar_type: "GZIP" },
    { responseType: "arraybuffer", transformResponse: [] },
  );
  assert.ok(gunzipSync(Buffer.from(packed.data)).toString().includes(out_trade_no));
  holds("bill downloaded");

  await assert.rejects(
    () => wxpay.v2.secapi.pay.refund.post({ ...account, out_trade_no }),
    (error) => error.response?.status === 400,
  );
  holds("a refund without the merchant's certificate is refused");

  const stranger = client("0".repeat(32));
  await refused(
    () => stranger.v2.pay.orderquery.post({ ...account, out_trade_no }),
    "return_msg",
    "签名错误",
  );
  holds("a wrong merchant key is refused");
  server.close();
  console.log("all holds");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
