// Go's durations, which etcd's flags take: "1h30m", "10m0s", "500ms".

const unitMs: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
  ["us", 0.001],
  ["µs", 0.001],
  ["ns", 0.000001],
]);
const part = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)/gy;

/** Milliseconds; null: not such a text. Only "0" may go without a unit. */
export function parseDurationMs(text: string): number | null {
  if (text === "0") return 0;
  let total = 0;
  let at = 0;
  part.lastIndex = 0;
  for (let found = part.exec(text); found !== null; found = part.exec(text)) {
    total += Number(found[1]) * unitMs.get(found[2]!)!;
    at = part.lastIndex;
  }
  return at === text.length && at > 0 ? total : null;
}
