// A logger whose lines a test reads.
import { pino } from "pino";
import type { Logger } from "pino";

export interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function logLines(): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Line);
  return { logger: pino({ base: {}, level: "debug" }, { write }), lines };
}
