// Tests of the problem table: every problem is explained in both languages, in the module and the documents.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { BY_CODE, BY_SYMPTOM, BY_WORDS, explain } from "../src/problems.js";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const codes = (text) => [...text.matchAll(/=> "([A-Z][A-Z0-9_]+)"/g)].map(([, code]) => code);

test("every code is explained", () => {
  const sources = ["../crates/checkout/src/problem.rs", "../src/options.rs"].map(read).join("");
  // Without the codes of the private API, which no page calls.
  const contract = read("../crates/merchant-api/src/error.rs").replace(/.*\(private side\)\..*\n(?: *@.*\n)?.*/g, "");
  const ofContract = [...contract.matchAll(/ = "([A-Z_]+)", \d/g)].map(([, code]) => code);
  const [, words] = read("src/element.js").match(/WORDS = \{(.*?)\n\};/s);
  const ofElement = [...words.matchAll(/^ {2}"?([\w-]+)"?:/gm)].map(([, name]) => `${name.replace("-", "_").toUpperCase()}_INVALID`);
  assert.ok(ofElement.includes("THEME_INVALID"), `${ofElement}`);
  const reported = [...codes(sources), ...ofContract, ...ofElement, "WIDGET_UNAVAILABLE", "WIDGET_LATE", "WIDGET_STOPPED"];
  assert.ok(reported.length > 30, `${reported.length} codes were found`);
  assert.deepEqual(reported.filter((code) => !BY_CODE[code]), []);
});

test("no text is empty", () => {
  for (const entry of [...Object.values(BY_CODE), ...BY_WORDS, ...BY_SYMPTOM]) {
    for (const { cause, fix } of [entry.zh, entry.en]) assert.ok(cause && fix, JSON.stringify(entry));
  }
});

test("WeChat's message takes precedence over the code", () => {
  const raw = "getBrandWCPayRequest:fail_no permission to execute";
  assert.equal(explain({ code: "CASHIER_FAILED", raw }), BY_CODE.CASHIER_DENIED.en);
  assert.equal(explain({ code: "CASHIER_FAILED", raw: null }, "zh-CN"), BY_CODE.CASHIER_FAILED.zh);
  for (const code of ["NO_SUCH_CODE", "constructor", "__proto__", "toString"]) assert.equal(explain({ code }), null, code);
});

test("every known message of WeChat's cashier with a cause is explained", () => {
  const [, ...rows] = read("../crates/checkout/tests/wechat-strings.tsv").trimEnd().split("\n");
  const withCause = rows.map((row) => row.split("\t")).filter(([, , result]) => /^[A-Z]/.test(result) && result !== "CASHIER_FAILED");
  assert.ok(withCause.length > 12, `${withCause.length} rows`);
  for (const [message, description, code] of withCause) {
    const found = explain({ code: "NO_SUCH_CODE", raw: `${message} ${description}` });
    assert.ok(found, `${message} ${description}`);
    // These have a cause of their own, besides their code's.
    const isSpecial = /fail_invalid appid|access_not_allow|没有权限|无效的商户号|权限未开通|不匹配/.test(`${message} ${description}`);
    if (!isSpecial) assert.equal(found, BY_CODE[code].en, `${message} ${description}`);
  }
  assert.ok(explain({ code: "NO_SUCH_CODE", raw: "chooseWXPay:the permission value is offline verifying" }));
});

test("every frequent mistake of WeChat's own list is explained, and the merchant is the one who acts", () => {
  // Section 6.2 of WeChat's document V3.3.5, and the refusals of an order.
  const said = [
    "access_not_allow", "access_denied", "当前公众号没有权限支付本次交易",
    "众账号支付使用了无效的商户号，无法发起该笔交易", "该公众号支付签名无效，无法发起该笔交易",
    "商户号该产品权限未开通，请前往商户平台>产品中心检查后重试", "NOAUTH", "NO_AUTH",
    "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", "SIGN_ERROR", "签名错误",
  ];
  for (const raw of said) {
    const found = explain({ code: "CASHIER_FAILED", raw });
    assert.ok(found && found !== BY_CODE.CASHIER_FAILED.en, raw);
  }
  // Those that are not a message, in the order of the document: 6.2 (1), (4), (8), (9); 6.3 (1) to (3), (4).
  assert.deepEqual(BY_SYMPTOM.map(({ seen }) => seen.zh), [
    "点击支付按钮后没有反应", "点击支付页面的链接后没有反应", "支付完成后又回到输入密码的页面，被扣了两次款",
    "收不到支付结果通知", "参数大小写、类型或时间戳不对", "订单号重复，或支付失败后换了新订单号",
  ]);
  assert.ok(BY_SYMPTOM.every(({ seen }) => seen.en));
});

test("problems.md matches the module (UPDATE=1 writes it)", () => {
  const row = (name, { zh, en }) => `| ${name} | ${zh.cause}<br>${en.cause} | ${zh.fix}<br>${en.fix} |`;
  const head = (first) => `| ${first} | 原因 · cause | 解决 · fix |\n|---|---|---|\n`;
  const text =
    "# Problems and their fixes · 问题与解决\n\n" +
    "Generated from `src/problems.js`, as is `problems.html` beside the script. The `hint` of each\n" +
    "`problem` event links there.\n\n" +
    "## By the event's `code` · 按错误码\n\n" +
    head("`code`") + Object.entries(BY_CODE).map(([code, entry]) => row(`\`${code}\``, entry)).join("\n") +
    "\n\n## By WeChat's message · 按微信的提示\n\n" +
    head("message · 微信提示") + BY_WORDS.map((entry) => row(entry.says, entry)).join("\n") +
    "\n\n## By what you see · 按现象\n\n" +
    head("symptom · 现象") + BY_SYMPTOM.map((entry) => row(`${entry.seen.zh}<br>${entry.seen.en}`, entry)).join("\n") + "\n";
  isWritten("problems.md", text);
});

test("problems.html matches the module and needs no other file (UPDATE=1 writes it)", () => {
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
  const both = ({ zh, en }, what) => `<td lang="zh">${escaped(zh[what])}<br><span lang="en">${escaped(en[what])}</span></td>`;
  const row = (name, entry, id) => `<tr${id}><th>${escaped(name)}</th>${both(entry, "cause")}${both(entry, "fix")}</tr>\n`;
  const table = (first, rows) => `<table>\n<tr><th>${first}</th><th>原因 · cause</th><th>解决 · fix</th></tr>\n${rows.join("")}</table>\n`;
  const text = `<!doctype html>
<html lang="zh">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>wechat-pay · problems</title>
<link rel="icon" href="data:,">
<h1>&lt;wechat-pay&gt;: 问题与解决 · problems and their fixes</h1>
${table("code", Object.entries(BY_CODE).map(([code, entry]) => row(code, entry, ` id="${code}"`)))}<h2>微信的提示 · WeChat's messages</h2>
${table("message", BY_WORDS.map((entry) => row(entry.says, entry, "")))}<h2>现象 · What you see</h2>
${table("symptom", BY_SYMPTOM.map((entry) => row(`${entry.seen.zh} · ${entry.seen.en}`, entry, "")))}</html>
`;
  // A bundler copies this file alone, so it must not load another one.
  assert.doesNotMatch(text, /<script|<style|src=|url\(|href="(?!data:,")/);
  isWritten("src/problems.html", text);
});

/** Compares a file with the expected text, or writes it. */
function isWritten(name, text) {
  const file = new URL(`../${name}`, import.meta.url);
  if (process.env.UPDATE) writeFileSync(file, text);
  assert.equal(readFileSync(file, "utf8"), text);
}
