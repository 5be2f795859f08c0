// The Grpc-Timeout header, which sets a call's deadline: up to any number of digits and a unit.

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Node's timers count in 32 bits. */
const timeoutMsMax = 2_147_483_647;

/** Milliseconds from now; null: no such header; NaN: not to be understood. */
export function timeoutMsOf(header: string | undefined): number | null {
  if (header === undefined || header === "") return null;
  const [, count = "", unit = ""] = /^([+-]?[0-9]{1,18})([HMSmun])$/.exec(header) ?? [];
  return count === "" ? Number.NaN : Math.min(Number(count) * unitMs[unit]!, timeoutMsMax);
}
