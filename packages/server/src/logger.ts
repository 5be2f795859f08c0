// Structured logs (pino): one JSON object a line on standard error, or readable lines for people.
import { pino } from "pino";
import type { Logger } from "pino";

export const logLevels = ["debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

/** `format`: "json" (pino's, with ISO time and level names), or "text" for a terminal. */
export function makeLogger(name: string, level: LogLevel, format: "json" | "text"): Logger {
  if (format === "json") {
    return pino(
      {
        name,
        level,
        base: { name },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      pino.destination({ dest: 2, sync: true }),
    );
  }
  const stream = {
    write(line: string): void {
      process.stderr.write(`${readable(line)}\n`);
    },
  };
  return pino({ level, base: {}, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

const levelNames = new Map([
  [20, "debug"],
  [30, "info "],
  [40, "warn "],
  [50, "error"],
  [60, "fatal"],
]);

/** `12:00:00.000 info  message key=value …` */
function readable(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const rest = Object.entries(fields)
    .map(([key, value]) => `${key}=${typeof value === "string" ? quote(value) : String(value)}`)
    .join(" ");
  const head = `${clock} ${levelNames.get(Number(level)) ?? "     "} ${String(msg)}`;
  return rest === "" ? head : `${head}  ${rest}`;
}

function quote(text: string): string {
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
