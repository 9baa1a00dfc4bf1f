// The values of the merchant server's till: what a cashier or a scanner types, and what it means.
import assert from "node:assert/strict";
import test from "node:test";

import { fenOf, isCode, localTime, newOrderNo, typed, yuanOf } from "../../crates/merchant-server/src/pages/till/values.js";

test("an amount in yuan is a whole number of fen, or refused", () => {
  const amounts = [
    ["19.90", 1990],
    ["19.9", 1990],
    ["19", 1900],
    ["0.01", 1],
    ["¥19.90", 1990],
    ["￥1", 100],
    ["69.10", 6910],
    ["1.15", 115],
    ["4.35", 435],
    ["10000000", 1000000000],
    ["10000000.00", 1000000000],
    ["10000000.01", 0],
    ["99999999", 0],
    ["0", 0],
    ["0.00", 0],
    ["0.001", 0],
    ["69.105", 0],
    ["19,90", 0],
    ["1,990", 0],
    ["-1", 0],
    ["+1", 0],
    ["1e3", 0],
    ["1.", 0],
    [".5", 0],
    ["", 0],
    ["134567890123456789", 0],
  ];
  for (const [text, fen] of amounts) assert.equal(fenOf(text), fen, text);
});

test("wide characters of an input method and blanks are read", () => {
  const texts = [
    ["１９．９０", "19.90"],
    ["19。9", "19.9"],
    [" 1345 6789 0123 456789\n", "134567890123456789"],
  ];
  for (const [given, read] of texts) assert.equal(typed(given), read);
});

test("a payment code has eighteen digits and begins with 10 to 15", () => {
  for (const begin of [10, 11, 12, 13, 14, 15]) assert.ok(isCode(begin + "0123456789012345"), String(begin));
  const others = ["160123456789012345", "280123456789012345", "13012345678901234", "1301234567890123456", "13012345678901234a", ""];
  for (const other of others) assert.ok(!isCode(other), other);
});

test("an amount is shown to the fen, with its thousands apart", () => {
  const shown = [[1, "0.01"], [10, "0.10"], [1990, "19.90"], [100000, "1,000.00"], [1000000000, "10,000,000.00"]];
  for (const [fen, text] of shown) assert.equal(yuanOf(fen), text);
});

test("a time is shown by this machine's clock, and anything else as it is", () => {
  assert.equal(localTime(new Date(2026, 10, 9, 7, 5, 3).toISOString()), "2026-11-09 07:05:03");
  assert.equal(localTime("yesterday"), "yesterday");
});

test("an order number is one that WeChat takes, and no two are the same", () => {
  const numbers = Array.from({ length: 1000 }, newOrderNo);
  for (const number of numbers) assert.match(number, /^T[0-9]{8}[0-9A-HJKMNP-TV-Z]{16}$/);
  assert.equal(new Set(numbers).size, numbers.length);
});
