// Figures that stories print: quantiles and tables of fixed width.
import { assert } from "@quorate/base";

/** The smallest value that at least the part `p` of all values does not exceed. */
export function quantile(values: readonly number[], p: number): number {
  assert(values.length > 0 && p > 0 && p <= 1, "quantile: no values, or not a part of them");
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(p * sorted.length) - 1]!;
}

export function mean(values: readonly number[]): number {
  assert(values.length > 0, "mean: no values");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Columns as wide as their widest cell; the first row is the head. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
      )
      .join("  ");
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)];
}
