// Callbacks one after the other, for what happens at a start, not on the way of a request.

/** Calls `next` when it is done; never, when the process ends instead. */
export type Step = (next: () => void) => void;

/** Each step starts when the one before has called `next`. */
export function inTurn(steps: readonly Step[], done: () => void): void {
  const go = (at: number): void => {
    const step = steps[at];
    if (step === undefined) done();
    else step(() => go(at + 1));
  };
  go(0);
}
