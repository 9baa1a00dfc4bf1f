// Rows of figures, aligned for a terminal, and the figures of a sample.

/** @param {(string | number)[][]} rows the first row is the heading */
export function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const cell = (value, column) => (column ? String(value).padStart(widths[column]) : String(value).padEnd(widths[0]));
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}

/** The smallest value that this share of the values does not exceed. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
