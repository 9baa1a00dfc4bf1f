// Tests that the manifest, the types and the class of the element match.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { STATES } from "../gallery/states.js";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const [declaration] = JSON.parse(read("custom-elements.json")).modules[0].declarations;
const types = read("src/wechat-pay.d.ts");
const theme = read("../src/view/theme.css");
const names = (list) => list.map(({ name }) => name).sort();
/** The names that match a pattern, without duplicates. */
const found = (text, pattern) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();

/** Defines the class without a browser. */
async function elementClass() {
  let made;
  const customElements = { get: () => undefined, define: (_, given) => (made = given) };
  Object.assign(globalThis, { HTMLElement: class {}, customElements, addEventListener() {} });
  const { define } = await import("../src/element.js");
  define({ loadBindings: () => Promise.reject(new Error("not here")) });
  return made;
}

test("the manifest has the attributes, properties and methods of the class", async () => {
  const made = await elementClass();
  const attributes = names(declaration.attributes);
  // Each attribute also in the lower-case spelling of its property's name.
  const spellings = [...attributes, ...declaration.attributes.map(({ fieldName }) => fieldName.toLowerCase())];
  assert.deepEqual([...new Set(spellings)].sort(), [...new Set(made.observedAttributes)].sort());
  const own = Object.entries(Object.getOwnPropertyDescriptors(made.prototype))
    .filter(([name]) => !/^(_|constructor$|\w+Callback$)/.test(name));
  const ofKind = (isField) => own.filter(([, { get }]) => Boolean(get) === isField).map(([name]) => name).sort();
  const members = (kind) => names(declaration.members.filter((member) => member.kind === kind));
  assert.deepEqual(members("field"), ofKind(true));
  assert.deepEqual(members("method"), ofKind(false));
});

test("the manifest has the events of the types, and the element fires no others", () => {
  const events = types.slice(types.indexOf("interface WechatPayEvents"), types.indexOf("interface WechatPayEventMap"));
  assert.deepEqual(names(declaration.events), found(events, /^ {2}"?([\w-]+)"?: /gm));
  const page = read("../src/shell/page.rs");
  const fired = found(page, /(?:=> \(|^\s+)"([a-z-]+)",(?: object| scene_detail| problem_detail|$)/gm);
  for (const name of fired) assert.ok(names(declaration.events).includes(name), name);
});

test("the manifest has the custom properties and the parts of the style sheet and the view", () => {
  assert.deepEqual(names(declaration.cssProperties), found(theme, /var\((--wechat-pay-[\w-]+)/g));
  const views = ["view", ...["action", "countdown", "order_head", "outcome", "qr_code", "receipt", "status"].map((name) => `view/${name}`)];
  const view = views.map((name) => read(`../src/${name}.rs`)).join("") + read("src/stand-in.js");
  // An element with two classes has two parts.
  const parts = found(view, /(?:\bpart(?:=|", (?:expectsCode \? )?)|link_to\(\w+, |\b(?:(?:foreign_)?line|heading|group)\(\s*|\{\s+)"([\w -]+)"/g).flatMap((classes) => classes.split(" "));
  const buttons = ["primary", "secondary"];
  assert.deepEqual(names(declaration.cssParts), [...new Set([...parts, ...buttons])].sort());
});

test("the types have every message and every state of the widget", () => {
  const union = (name) => {
    const start = types.indexOf(`export type ${name} =`);
    return found(types.slice(start, types.indexOf(";", start)), /"([\w-]+)"/g);
  };
  const words = found(read("../src/locale/words.rs"), /^ {4}\w+ "(\w+)":/gm);
  const fallback = found(read("src/stand-in.js").match(/ {2}en: \{(.*)\}/)[1], /(\w+): "/g);
  assert.deepEqual(union("MessageName"), [...new Set([...words, ...fallback])].sort());
  const model = read("../crates/checkout/src/view_model.rs");
  const shown = STATES.map(({ name, shows }) => shows ?? name).filter((name) => name !== "fallback");
  assert.deepEqual([...new Set(shown)].sort(), union("State"), "the gallery has every state");
  assert.deepEqual(union("State"), found(model, /Self::\w+(?: \{ \.\. \}|\(_\))? => "([\w-]+)"/g));
});
