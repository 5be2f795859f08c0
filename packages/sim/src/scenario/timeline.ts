// The story of a scenario as it happened: one fixed-width line an event, with its virtual time. Kept
// for the report of a run that failed, and told to whoever listens.
import type { World } from "../world.ts";

/** Lines of a report: the whole story is told to the listener, the report has its end. */
const reportLinesMax = 40;

export class Timeline {
  readonly #world: World;
  readonly #print: (line: string) => void;
  readonly #lines: string[];

  constructor(world: World, print: (line: string) => void) {
    this.#world = world;
    this.#print = print;
    this.#lines = [];
  }

  /** `who`: a member, or what part of the world acts. */
  tell(who: string, what: string): void {
    const ms = this.#world.nowMs.toFixed(1).padStart(10);
    const line = `${ms} ms  ${who.padEnd(8)} ${what}`;
    this.#world.note(who, what);
    this.#lines.push(line);
    this.#print(line);
  }

  report(): string[] {
    const hidden = this.#lines.length - reportLinesMax;
    const shown = this.#lines.slice(-reportLinesMax);
    return hidden > 0 ? [`… ${hidden} earlier lines`, ...shown] : shown;
  }
}
