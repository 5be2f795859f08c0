// Assertions that stay on in production: a broken invariant must end the process, not travel on.
// Only for bugs. What can happen on a healthy machine (bad input, damaged files, lost messages)
// is a return value, never an assertion.

/** A bug in Quorate. Nothing below the process boundary may catch it. */
export class AssertionError extends Error {
  override readonly name: string = "AssertionError";
}

/** A message that costs something to build is given as a thunk; it is built only on failure. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) fail(message);
}

/** Closes a switch over a tag: the compiler proves that it is never reached. */
export function assertNever(value: never, what: string = "value"): never {
  return fail(() => `unexpected ${what}: ${describe(value)}`);
}

/** The value, which the caller knows to be there for the reason that the message gives. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) return fail(message);
  return value;
}

// Apart from `assert`, so that the hot function stays small enough to be inlined.
function fail(message: string | (() => string)): never {
  throw new AssertionError(typeof message === "string" ? message : message());
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
