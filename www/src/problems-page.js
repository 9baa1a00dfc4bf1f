// @ts-check
/** Shows `problems.js` as two tables; a problem event's `hint` leads to a code's own row. */
import { BY_CODE, BY_WORDS } from "./problems.js";

/**
 * @param {string} tag
 * @param {...(string | Node)} children
 */
function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** @param {string} head @param {[string, import("./problems.js").InBoth][]} rows */
function table(head, rows) {
  const body = rows.map(([name, { zh, en }]) => {
    const row = element("tr", element("th", name), element("td", zh.cause, element("br"), en.cause), element("td", zh.fix, element("br"), en.fix));
    row.id = name;
    return row;
  });
  const heads = [head, "原因 · cause", "解决 · fix"].map((text) => element("th", text));
  return element("table", element("thead", element("tr", ...heads)), element("tbody", ...body));
}

document.querySelector("main")?.append(
  table("code", Object.entries(BY_CODE)),
  element("h2", "微信的提示 · WeChat's own words"),
  table("says", BY_WORDS.map((entry) => [entry.says, entry])),
);
document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
