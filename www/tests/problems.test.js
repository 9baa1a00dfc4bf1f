// Tests of the problem table: every problem is explained in both languages, in the module and the documents.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { BY_CODE, BY_WORDS, explain } from "../src/problems.js";

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
  for (const entry of [...Object.values(BY_CODE), ...BY_WORDS]) {
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
    if (message !== "get_brand_wcpay_request:fail_invalid appid") assert.equal(found, BY_CODE[code].en, `${message} ${description}`);
  }
  assert.ok(explain({ code: "NO_SUCH_CODE", raw: "chooseWXPay:the permission value is offline verifying" }));
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
    head("message · 微信提示") + BY_WORDS.map((entry) => row(entry.says, entry)).join("\n") + "\n";
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
${table("message", BY_WORDS.map((entry) => row(entry.says, entry, "")))}</html>
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
