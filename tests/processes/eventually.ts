// Waiting for a condition instead of for a time: what is asked again and again until it holds.
import { setTimeout as sleep } from "node:timers/promises";

const pollMsDefault = 20;
/** After a check that took long: twice as long, up to this. One that runs a command takes a core. */
const pollMsMax = 500;
/** Far above what any condition needs on a loaded machine: time is never what a test asserts. */
const timeoutMsDefault = 60_000;

/**
 * The first value that is neither null, undefined nor false; throws with `what` when none comes. Who asks by
 * starting a process asks less often (`pollMs`).
 */
export async function eventually<Value>(
  what: string,
  check: () => Value | Promise<Value>,
  timeoutMs: number = timeoutMsDefault,
  pollMs: number = pollMsDefault,
): Promise<NonNullable<Exclude<Value, false>>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const askedMs = performance.now();
    const value = await check();
    if (value !== null && value !== undefined && value !== false) {
      return value as NonNullable<Exclude<Value, false>>;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    }
    const tookMs = performance.now() - askedMs;
    await sleep(Math.max(pollMs, Math.min(2 * tookMs, pollMsMax)));
  }
}
