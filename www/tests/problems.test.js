// Every problem that can be told is explained, in both languages, in the module and the document.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { BY_CODE, BY_WORDS, explain } from "../src/problems.js";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const codes = (text) => [...text.matchAll(/=> "([A-Z][A-Z0-9_]+)"/g)].map(([, code]) => code);

test("every code is explained", () => {
  const sources = ["../crates/checkout/src/problem.rs", "../src/options.rs"].map(read).join("");
  // Without the private side's, which no page talks to.
  const contract = read("../crates/merchant-api/src/error.rs").replace(/.*\(private side\)\..*\n(?: *@.*\n)?.*/g, "");
  const ofContract = [...contract.matchAll(/ = "([A-Z_]+)", \d/g)].map(([, code]) => code);
  const [, looks] = read("src/element.js").match(/LOOKS = \{(.*?)\n\};/s);
  const ofLooks = [...looks.matchAll(/^ {2}"?([\w-]+)"?:/gm)].map(([, name]) => `${name.replace("-", "_").toUpperCase()}_INVALID`);
  assert.ok(ofLooks.includes("THEME_INVALID"), `${ofLooks}`);
  const told = [...codes(sources), ...ofContract, ...ofLooks, "WIDGET_UNAVAILABLE", "WIDGET_STOPPED"];
  assert.ok(told.length > 30, `${told.length} codes were found`);
  assert.deepEqual(told.filter((code) => !BY_CODE[code]), []);
});

test("nothing is left empty", () => {
  for (const entry of [...Object.values(BY_CODE), ...BY_WORDS]) {
    for (const { cause, fix } of [entry.zh, entry.en]) assert.ok(cause && fix, JSON.stringify(entry));
  }
});

test("WeChat's own words count for more than the code", () => {
  const raw = "getBrandWCPayRequest:fail_no permission to execute";
  assert.equal(explain({ code: "CASHIER_FAILED", raw }), BY_CODE.CASHIER_DENIED.en);
  assert.equal(explain({ code: "CASHIER_FAILED", raw: null }, "zh-CN"), BY_CODE.CASHIER_FAILED.zh);
  for (const code of ["NO_SUCH_CODE", "constructor", "__proto__", "toString"]) assert.equal(explain({ code }), null, code);
});

test("whatever WeChat's cashier says of a cause is explained by its words", () => {
  const [, ...rows] = read("../crates/checkout/tests/wechat-strings.tsv").trimEnd().split("\n");
  const told = rows.map((row) => row.split("\t")).filter(([, , result]) => /^[A-Z]/.test(result) && result !== "CASHIER_FAILED");
  assert.ok(told.length > 12, `${told.length} rows`);
  for (const [message, description, code] of told) {
    const found = explain({ code: "NO_SUCH_CODE", raw: `${message} ${description}` });
    assert.ok(found, `${message} ${description}`);
    if (message !== "get_brand_wcpay_request:fail_invalid appid") assert.equal(found, BY_CODE[code].en, `${message} ${description}`);
  }
  assert.ok(explain({ code: "NO_SUCH_CODE", raw: "chooseWXPay:the permission value is offline verifying" }));
});

test("the document says what the module says (UPDATE=1 writes it)", () => {
  const row = (name, { zh, en }) => `| ${name} | ${zh.cause}<br>${en.cause} | ${zh.fix}<br>${en.fix} |`;
  const head = (first) => `| ${first} | 原因 · cause | 解决 · fix |\n|---|---|---|\n`;
  const text =
    "# Problems, and what mends them · 问题与解决\n\n" +
    "Written from `src/problems.js`, as is `problems.html` beside the script: the `hint` of each\n" +
    "`problem` event leads there.\n\n" +
    "## By the event's `code` · 按错误码\n\n" +
    head("`code`") + Object.entries(BY_CODE).map(([code, entry]) => row(`\`${code}\``, entry)).join("\n") +
    "\n\n## By WeChat's own words · 按微信的提示\n\n" +
    head("WeChat says · 微信提示") + BY_WORDS.map((entry) => row(entry.says, entry)).join("\n") + "\n";
  isWritten("problems.md", text);
});

test("the page says what the module says, and needs no other file (UPDATE=1 writes it)", () => {
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
${table("code", Object.entries(BY_CODE).map(([code, entry]) => row(code, entry, ` id="${code}"`)))}<h2>微信的提示 · WeChat's own words</h2>
${table("says", BY_WORDS.map((entry) => row(entry.says, entry, "")))}</html>
`;
  // A bundler copies this one file: what it would load beside itself is not there.
  assert.doesNotMatch(text, /<script|<style|src=|url\(|href="(?!data:,")/);
  isWritten("src/problems.html", text);
});

/** Holds a file against what it should be, or writes it. */
function isWritten(name, text) {
  const file = new URL(`../${name}`, import.meta.url);
  if (process.env.UPDATE) writeFileSync(file, text);
  assert.equal(readFileSync(file, "utf8"), text);
}
