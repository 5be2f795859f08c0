// One line of a member's log, for people: read from pino's JSON, or taken as it is.

export const LineWeight = { Normal: 1, Notable: 2, Warning: 3, Error: 4 } as const;
export type LineWeight = (typeof LineWeight)[keyof typeof LineWeight];

export interface LogLine {
  readonly weight: LineWeight;
  /** "12:00:00.000 warn  message  key=value"; a line that is no JSON stands alone. */
  readonly text: string;
  /** Without time and level: what a member's last words are told with. */
  readonly message: string;
}

const levelWeights: ReadonlyMap<string, LineWeight> = new Map([
  ["warn", LineWeight.Warning],
  ["error", LineWeight.Error],
  ["fatal", LineWeight.Error],
]);

const notable: ReadonlySet<string> = new Set(["role changed", "snapshot installed"]);

export function readLogLine(line: string): LogLine {
  const record = parse(line);
  if (record === null) {
    return { weight: LineWeight.Error, text: line, message: line };
  }
  const { level, time, name: _name, msg, ...fields } = record;
  const text = String(msg);
  const weight =
    levelWeights.get(String(level)) ?? (notable.has(text) ? LineWeight.Notable : LineWeight.Normal);
  const rest = Object.entries(fields)
    .map(([key, value]) => `  ${key}=${valueText(value)}`)
    .join("");
  const clock = localClock(String(time));
  return { weight, text: `${clock} ${String(level).padEnd(5)} ${text}${rest}`, message: text };
}

function parse(line: string): Record<string, unknown> | null {
  if (!line.startsWith("{")) {
    return null;
  }
  try {
    const record: unknown = JSON.parse(line);
    const isRecord = typeof record === "object" && record !== null && "msg" in record;
    return isRecord ? record : null;
  } catch {
    return null;
  }
}

function localClock(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) {
    return time;
  }
  const two = (n: number): string => String(n).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

function valueText(value: unknown): string {
  if (typeof value !== "string") {
    return JSON.stringify(value) ?? "undefined";
  }
  return /[\s"=]/.test(value) || value === "" ? JSON.stringify(value) : value;
}
