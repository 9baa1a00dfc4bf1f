// @ts-check
/** The language of a tag, as in the table of `src/locale.rs`. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { languageOf } from "../src/language.js";

test("each tag has its language", () => {
  for (const [tag, expected] of [
    ["zh", "zh-CN"],
    ["zh-SG", "zh-CN"],
    ["ZH_cn", "zh-CN"],
    ["zh-Hans-HK", "zh-CN"],
    ["zh-Hant-TW", "zh-Hant"],
    ["zh_TW", "zh-Hant"],
    ["zh-HK", "zh-Hant"],
    ["zh-yue-mo", "zh-Hant"],
    ["en-GB", "en"],
    ["ja", "en"],
    ["de-TW", "en"],
    ["", "en"],
  ]) {
    assert.equal(languageOf(tag), expected, tag);
  }
});
