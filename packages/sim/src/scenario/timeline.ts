// The story of a scenario as it happened: one fixed-width line an event, with its virtual time. Kept
// for the report of a run that failed, and told to whoever listens. What goes on repeating itself, as
// one event or as two in turn, becomes a count.
import type { World } from "../world.ts";

/** Lines of a report: the whole story is told to the listener, the report has its end. */
const reportLinesMax = 40;
/** Different lines that may take turns, and how often each is told. */
const turnsMax = 2;
const timesMax = 3;

interface Turn {
  readonly who: string;
  readonly what: string;
  times: number;
}

export class Timeline {
  readonly #world: World;
  readonly #print: (line: string) => void;
  readonly #lines: string[];
  /** The newest different events, newest last. */
  readonly #turns: Turn[];
  #folded: number;
  #foldedMs: number;

  constructor(world: World, print: (line: string) => void) {
    this.#world = world;
    this.#print = print;
    this.#lines = [];
    this.#turns = [];
    this.#folded = 0;
    this.#foldedMs = 0;
  }

  /** `who`: a member, or what part of the world acts. */
  tell(who: string, what: string): void {
    this.#world.note(who, what);
    const { nowMs } = this.#world;
    const turn = this.#turns.find((one) => one.who === who && one.what === what);
    if (turn === undefined) {
      this.#unfold();
      this.#turns.push({ who, what, times: 1 });
      if (this.#turns.length > turnsMax) this.#turns.shift();
    } else if (turn.times++ >= timesMax) {
      this.#folded++;
      this.#foldedMs = nowMs;
      return;
    }
    this.#line(nowMs, who, what);
  }

  report(): string[] {
    this.#unfold();
    const hidden = this.#lines.length - reportLinesMax;
    const shown = this.#lines.slice(-reportLinesMax);
    return hidden > 0 ? [`… ${hidden} earlier lines`, ...shown] : shown;
  }

  #unfold(): void {
    if (this.#folded === 0) return;
    const count = this.#folded;
    this.#folded = 0;
    this.#line(this.#foldedMs, "…", `and so on: ${count} more lines like these`);
  }

  #line(ms: number, who: string, what: string): void {
    const line = `${ms.toFixed(1).padStart(10)} ms  ${who.padEnd(8)} ${what}`;
    this.#lines.push(line);
    this.#print(line);
  }
}
