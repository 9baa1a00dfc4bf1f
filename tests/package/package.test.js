// Tests the npm package as it was packed and unpacked: what is in it, and that a server can import it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const { PACKAGE, REACT } = process.env;
const read = (name) => readFileSync(join(PACKAGE, name), "utf8");
const manifest = JSON.parse(read("package.json"));
/** What a value of `exports` leads to. */
const targets = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(targets));

test("it has the files that it lists, and no others", () => {
  assert.deepEqual(readdirSync(PACKAGE).sort(), [...manifest.files, "package.json"].sort());
  for (const name of readdirSync(PACKAGE)) assert.doesNotMatch(name, /\.(br|gz|rs)$/);
});

test("everything that it exports exists, and types come first", () => {
  const named = [manifest.main, manifest.types, manifest.unpkg, manifest.customElements, ...manifest.sideEffects];
  for (const target of [...named, ...targets(manifest.exports)]) assert.ok(existsSync(join(PACKAGE, target)), target);
  for (const [name, value] of Object.entries(manifest.exports)) {
    if (value.types) assert.equal(Object.keys(value)[0], "types", name);
  }
});

test("the types name only files of the package", () => {
  const types = readdirSync(PACKAGE).filter((name) => name.endsWith(".d.ts"));
  assert.ok(types.length > 4, `${types}`);
  for (const name of types) {
    for (const [, from] of read(name).matchAll(/from "(\.[^"]+)"/g)) assert.ok(types.includes(`${from.slice(2)}.d.ts`), `${name}: ${from}`);
  }
});

test("the digests are those of the files, and the README's snippets have them", () => {
  const integrity = JSON.parse(read("integrity.json"));
  const scripts = readdirSync(PACKAGE).filter((name) => /\.(js|wasm|css|html|en\.json|zh-Hant\.json)$/.test(name) && name !== "react.js");
  assert.deepEqual(Object.keys(integrity).sort(), scripts.sort());
  for (const [name, value] of Object.entries(integrity)) {
    const digest = createHash("sha384").update(readFileSync(join(PACKAGE, name))).digest("base64");
    assert.equal(value, `sha384-${digest}`, name);
  }
  for (const readme of ["README.md", "README.zh-CN.md"]) {
    const snippets = [...read(readme).matchAll(/src="\/wechat-pay\/(.*?)"\s+integrity="(.*?)"/g)];
    assert.equal(snippets.length, 2, readme);
    for (const [, name, value] of snippets) assert.equal(value, integrity[name], `${readme}: ${name}`);
    assert.doesNotMatch(read(readme), /VERSION|INTEGRITY/, readme);
  }
});

test("it has the licences of everything that is compiled in", () => {
  const text = read("THIRD-PARTY-LICENSES.txt");
  for (const name of ["leptos", "wasm-bindgen", "serde", "standard library"]) assert.match(text, new RegExp(name));
  assert.match(text, /Permission is hereby granted/);
  assert.doesNotMatch(text, /: $/m, "a crate without a licence");
});

test("a server imports it, and nothing touches a browser's objects", () => {
  const react = join(PACKAGE, "../react");
  if (!existsSync(react)) symlinkSync(REACT, react);
  // Node has none of a browser's objects, so that a use fails, and it has `fetch`.
  const script = `
    for (const name of ["window", "document", "customElements", "HTMLElement"]) if (name in globalThis) throw new Error(name);
    globalThis.fetch = () => { throw new Error("a request"); };
    await import("wechat-pay-widget");
    const { WechatPay } = await import("wechat-pay-widget/react");
    const { explain } = await import("wechat-pay-widget/problems");
    console.log(typeof WechatPay, explain({ code: "TOKEN_INVALID" }).cause.length > 10);`;
  const printed = execFileSync("node", ["--input-type=module", "--eval", script], { cwd: join(PACKAGE, "../.."), encoding: "utf8" });
  assert.equal(printed.trim(), "object true");
});
