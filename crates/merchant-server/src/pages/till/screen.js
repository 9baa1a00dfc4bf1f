// What the till's page shows: one screen at a time, a notice, the receipt. Every sentence is in the page
// already. It knows no order and calls nobody.

import { localTime, yuanOf } from "./values.js";

// A scanner types faster than people, and ends with Enter.
const SCANNER_MS = 150;

let shown = "";
let lastDigitMs = -Infinity;

export const byId = (id) => document.getElementById(id);

export function each(selector, act) {
  document.querySelectorAll(selector).forEach(act);
}

// The amount as buyers read it.
export function amount(fen) {
  return byId("till").dataset.sign + yuanOf(fen);
}

// Shows the screen of this name. `order` is the order of the sale, if there is one; the reason and its
// code are a notice above the screen.
export function show(name, order, reason, code) {
  const isNew = name !== shown;
  shown = name;
  each("[data-screen]", (section) => { section.hidden = section.dataset.screen !== name; });
  byId("due").hidden = byId("order").hidden = !order;
  byId("due").textContent = order ? amount(order.total_fen) : "";
  byId("due").classList.toggle("long", byId("due").textContent.length > 10);
  byId("order-no").textContent = order ? order.order_no : "";
  if (isNew) byId("alone").hidden = true;
  if (isNew || reason) notice(reason || "", code);
  if (isNew) focusOn(name);
}

// A field gets the focus, so that a scanner can type. Elsewhere the heading gets it, so that a scanner's
// Enter presses no button.
function focusOn(name) {
  const section = document.querySelector(`[data-screen="${name}"]`);
  const target = section && (section.querySelector("input") || section.querySelector("h1"));
  if (target) target.focus();
}

// Shows the sentence of this name; the empty name takes the notice away.
export function notice(name, code) {
  const place = byId("notice");
  place.textContent = name ? sentence(name) || sentence("NOT_ACCEPTED") : "";
  place.hidden = !name;
  if (name && /^[A-Z_]+$/.test(code || "")) {
    const word = document.createElement("code");
    word.textContent = code;
    place.appendChild(word);
  }
}

// The sentence of a notice; empty if the page has none of this name.
export function sentence(name) {
  const terms = Array.from(document.querySelectorAll("#notices dt"));
  const term = terms.find((known) => known.textContent === name);
  return term ? term.nextElementSibling.textContent : "";
}

// The paid sale, for the screen and for the printer. A discount of WeChat's is shown.
export function fillReceipt(session, order, paid) {
  const paidFen = paid.fen || order.total_fen;
  byId("paid-less").hidden = paidFen === order.total_fen;
  byId("paid-less-amount").textContent = amount(paidFen);
  const fields = {
    store: session.store,
    device: session.device,
    description: order.description,
    total: amount(order.total_fen),
    paid: amount(paidFen),
    time: localTime(paid.time),
    order: order.order_no,
    transaction: paid.transaction,
  };
  each("[data-receipt]", (place) => {
    const text = fields[place.dataset.receipt] || "";
    place.textContent = text;
    if (place.tagName === "DD") place.parentNode.hidden = !text;
  });
}

// A scanner types wherever the focus is. Its digits belong into the field of the screen.
export function catchScanner(event) {
  if (!/^[0-9]$/.test(event.key)) return;
  lastDigitMs = performance.now();
  const field = byId({ scan: "code", amount: "yuan" }[shown]);
  if (field && document.activeElement !== field) field.focus();
}

// For a button: Enter at the end of a scan is not the cashier's.
export function byHand(act) {
  return (event) => {
    const isByKey = event.detail === 0;
    if (!isByKey || performance.now() - lastDigitMs > SCANNER_MS) act();
  };
}
