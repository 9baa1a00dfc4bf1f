// A shop's page that takes the element from the package; its attributes come from the address.
import "./before.js";
import "wechat-pay-widget";
import { explain } from "wechat-pay-widget/problems";

window.problems = [];
document.addEventListener("problem", ({ detail }) => {
  window.problems.push({ ...detail, explained: explain(detail) });
});
const element = document.getElementById("pay");
for (const [name, value] of new URLSearchParams(location.search)) element.setAttribute(name, value);
