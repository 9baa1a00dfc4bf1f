// Tests that the element takes for a desk only what the machine takes for one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { isDesk } from "../src/desk.js";

/** Real and reasoned User-Agents, each with the machine's decision in a column of that name. */
const corpus = [["ua-corpus.tsv", "scene"], ["reasoned-uas.tsv", "decision"]].flatMap(([file, column]) => {
  const text = readFileSync(new URL(`../../crates/checkout/tests/${file}`, import.meta.url), "utf8");
  const [head, ...rows] = text.trim().split("\n").map((line) => line.split("\t"));
  return rows.map((row) => ({ userAgent: row[0], os: row[head.indexOf("os")], env: row[head.indexOf("env")], decision: row[head.indexOf(column)] }));
});

test("no browser counts as a desk that the machine takes for anything else", () => {
  assert.ok(corpus.length > 100);
  for (const { userAgent, decision } of corpus) {
    for (const text of [userAgent, userAgent.toLowerCase(), userAgent.toUpperCase()]) {
      if (isDesk({ userAgent: text, maxTouchPoints: 0 })) assert.equal(decision, "native", text);
    }
  }
});

test("the plain browsers of desks count as desks", () => {
  const plain = corpus.filter(({ userAgent, env, os }) => env === "browser_desktop" && /^(windows|macos|linux)$/.test(os) && !/TV/.test(userAgent));
  assert.ok(plain.length > 5);
  for (const { userAgent } of plain) assert.ok(isDesk({ userAgent, maxTouchPoints: 0 }), userAgent);
});

test("a touch screen is a tablet unless Windows runs on it", () => {
  for (const [system, expected] of [["Windows NT 10.0; Win64; x64", true], ["Macintosh; Intel Mac OS X 10_15_7", false], ["X11; Linux x86_64", false]]) {
    const userAgent = `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36`;
    assert.equal(isDesk({ userAgent, maxTouchPoints: 5 }), expected, system);
    assert.equal(isDesk({ userAgent, maxTouchPoints: 1 }), true, system);
  }
});
