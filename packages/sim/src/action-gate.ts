// Every act of a nemesis and every operation of a client asks here before it happens, and gets a
// number. A shrinking run refuses numbers: what is refused draws as before, but does nothing, so the
// rest of the run changes as little as possible.

export interface Action {
  readonly number: number;
  readonly atUs: number;
  /** Family of the nemesis, or the client. */
  readonly source: string;
}

export class ActionGate {
  /** Numbers that are refused. */
  readonly refused: Set<number>;
  /** What was asked for, in order, refused or not. */
  readonly actions: Action[];

  constructor() {
    this.refused = new Set();
    this.actions = [];
  }

  admit(atUs: number, source: string): boolean {
    const number = this.actions.length;
    this.actions.push({ number, atUs, source });
    return !this.refused.has(number);
  }
}
