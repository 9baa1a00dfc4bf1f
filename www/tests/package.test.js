// Tests that the package's React component knows every event. `cargo xtask test --only package` tests the built package.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
test("the component for React listens to every event of the element", () => {
  const [, list] = read("src/react.js").match(/EVENTS = (\[.*?\]);/s);
  const [{ events }] = JSON.parse(read("custom-elements.json")).modules[0].declarations;
  assert.deepEqual(JSON.parse(list).sort(), events.map(({ name }) => name).sort());
});
