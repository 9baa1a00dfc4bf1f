// The figures as a table: a row for each measure, a column for each subject.

import { aligned, percentile } from "../rows.js";

/**
 * @param {string[]} names of the subjects, the limit first
 * @returns {string}
 */
export function table(names, { code, paid, waiting, heap }, files) {
  const row = (label, figure) => [label, ...names.map(figure)];
  const rows = [["", ...names]];
  for (const [profile, figures] of Object.entries(code)) {
    const codeMs = (name) => median(figures[name].map((round) => round.codeMs));
    rows.push(row(`code on screen, ms, ${profile}`, (name) => whole(codeMs(name))));
    rows.push(row("  × limit", (name) => (codeMs(name) / codeMs(names[0])).toFixed(2)));
    const of = (key) => (name) => whole(median(figures[name].map((round) => round[key])));
    rows.push(row("  main thread until then, ms", of("tasksMs")));
    rows.push(row("    of that in scripts, ms", of("scriptMs")));
    rows.push(row("  requests", of("requests")));
    rows.push(row("  bytes received", of("receivedBytes")));
    rows.push(row("  layout shift until then, most", (name) => shift(figures[name])));
  }
  const paidMs = (share) => (name) => (paid[name] ? whole(percentile(paid[name].map((payment) => payment.paidMs), share)) : "–");
  rows.push(row("payments", (name) => paid[name]?.length ?? "–"));
  rows.push(row("  notification to paid on screen, ms, p50", paidMs(0.5)));
  rows.push(row("    p99", paidMs(0.99)));
  rows.push(row("  layout shift until then, most", (name) => (paid[name] ? shift(paid[name]) : "–")));
  for (const which of ["visible", "hidden"]) {
    rows.push(row(`a minute of waiting, ${which}: wake-ups`, (name) => waiting[name][which].wakeUps));
    rows.push(row("  requests", (name) => waiting[name][which].requests));
    rows.push(row("  bytes received", (name) => waiting[name][which].bytes));
  }
  rows.push(row("heap at the code, KB", (name) => kilobytes(heap[name].atCode)));
  rows.push(row("  after an hour of waiting, KB", (name) => kilobytes(heap[name].afterHour)));
  return `${aligned(rows)}\n\n${overTheWire(files)}`;
}

/** The requests of the round in the middle. */
export function waterfall(title, rounds) {
  const middle = median(rounds.map(({ codeMs }) => codeMs));
  const { codeMs, traffic } = rounds.find((round) => round.codeMs === middle);
  const ms = (value) => (value === undefined ? "–" : whole(value));
  const rows = traffic.map(({ method, path, bytes, sentMs, headMs, endMs }) => [`${method} ${path}`, ms(sentMs), ms(headMs), ms(endMs), bytes]);
  return aligned([[title, "sent", "head", "end", "bytes"], ...rows, ["the code is on screen", "", "", whole(codeMs), ""]]);
}

function median(values) {
  return percentile(values, 0.5);
}

const whole = (value) => value.toFixed(0);
const kilobytes = (bytes) => whole(bytes / 1000);
const shift = (figures) => Math.max(...figures.map(({ layoutShift }) => layoutShift)).toFixed(4);

function overTheWire(files) {
  const each = Object.entries(files).map(([path, { bytes, encoding }]) => `${path} ${bytes} (${encoding})`);
  const total = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  return `bytes of the element's files from merchant-server, Accept-Encoding br: ${total} = ${each.join(" + ")}`;
}
