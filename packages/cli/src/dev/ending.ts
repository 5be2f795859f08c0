// How a member ended, in words, and whether starting it again can help.
import type { Ending } from "./member-process.ts";

/** Exit codes that say why a member cannot run; the next start would end the same way. */
const codesForGood: ReadonlySet<number> = new Set([64, 70, 71, 72, 73, 74, 75]);

export function isForGood(ending: Ending): boolean {
  return ending.code !== null && codesForGood.has(ending.code);
}

export function describeEnding({ code, signal, lastWords }: Ending): string {
  const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
  return lastWords === "" ? how : `${how} (${lastWords})`;
}
