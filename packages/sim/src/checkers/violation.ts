// A property of the system does not hold: the run fails with this, the seed reproduces it. Thrown by
// checkers, never inside a member's own code.

export class Violation extends Error {
  /** Id of the property (reliability.md §2) and its checker. */
  readonly property: string;

  constructor(property: string, message: string) {
    super(`${property}: ${message}`);
    this.property = property;
  }
}

export function demand(
  condition: boolean,
  property: string,
  message: () => string,
): asserts condition {
  if (!condition) throw new Violation(property, message());
}
