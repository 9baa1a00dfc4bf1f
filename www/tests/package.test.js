// Tests that the package contains what it exports, and that its React component knows every event.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const manifest = JSON.parse(read("package.json"));

/** Whether npm would publish a file: by its name, its folder, or a pattern of one folder. */
function isPublished(file) {
  return manifest.files.some((entry) => {
    const pattern = new RegExp(`^${entry.replace(/[.]/g, "\\.").replace("*", "[^/]*")}(/|$)`);
    return pattern.test(file);
  });
}

test("every file that the package exports is published and exists", () => {
  const targets = Object.values(manifest.exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
  assert.ok(targets.length > 6, `${targets}`);
  for (const target of targets) {
    const file = target.replace("./", "");
    assert.ok(isPublished(file), `${file} is not among the files`);
    // The bundle is built, so it is not in the repository.
    if (!file.startsWith("dist/")) assert.ok(existsSync(new URL(`../${file}`, import.meta.url)), file);
  }
});

test("the component for React listens to every event of the element", () => {
  const [, list] = read("src/react.js").match(/EVENTS = (\[.*?\]);/s);
  const [{ events }] = JSON.parse(read("custom-elements.json")).modules[0].declarations;
  assert.deepEqual(JSON.parse(list).sort(), events.map(({ name }) => name).sort());
});
