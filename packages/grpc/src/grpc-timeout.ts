// The `grpc-timeout` header, as grpc-go reads it: at most eight digits and a unit.

const unitMs: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1000],
  ["m", 1],
  ["u", 0.001],
  ["n", 0.000_001],
]);

const lengthMin = 2;
const lengthMax = 9;

/** Milliseconds; null: not to be understood. */
export function parseGrpcTimeout(header: string): number | null {
  if (header.length < lengthMin || header.length > lengthMax) return null;
  const unit = unitMs.get(header.at(-1)!);
  const count = header.slice(0, -1);
  return unit === undefined || !/^[+-]?[0-9]+$/.test(count) ? null : Number(count) * unit;
}
