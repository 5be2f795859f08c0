// S2: a leader never overwrites or cuts its own log (Raft figure 3), neither in memory nor in what it
// has its disk write.
import { demand } from "./violation.ts";

const property = "S2 leader append-only";

/** The log of a process while it leads. */
export interface LedLog {
  readonly lastIndex: number;
  /** Null: compacted, or beyond the end. */
  termAt(index: number): number | null;
}

interface Led {
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number | null;
}

export class LeaderAppendOnly {
  /** Process → the end of its log when it was last seen to lead. */
  readonly #led: Map<string, Led>;
  /** Process → the highest index that it has had its disk write. */
  readonly #written: Map<string, number>;

  constructor() {
    this.#led = new Map();
    this.#written = new Map();
  }

  leads(incarnation: string, term: number, log: LedLog): void {
    const before = this.#led.get(incarnation);
    if (before !== undefined && before.term === term) {
      demand(
        log.lastIndex >= before.lastIndex,
        property,
        () => `${incarnation} cut its log from ${before.lastIndex} to ${log.lastIndex}`,
      );
      const now = log.termAt(before.lastIndex);
      demand(
        now === null || now === before.lastTerm,
        property,
        () => `${incarnation} put term ${now} over ${before.lastTerm} at ${before.lastIndex}`,
      );
      if (log.lastIndex === before.lastIndex) return;
    }
    const { lastIndex } = log;
    this.#led.set(incarnation, { term, lastIndex, lastTerm: log.termAt(lastIndex) });
  }

  /** It hands its disk the entries from `firstIndex` to `lastIndex`; leading in `leaderTerm` or 0. */
  writes(incarnation: string, leaderTerm: number, firstIndex: number, lastIndex: number): void {
    const written = this.#written.get(incarnation) ?? 0;
    const leads = leaderTerm > 0 && this.#led.get(incarnation)?.term === leaderTerm;
    demand(
      !leads || firstIndex > written,
      property,
      () =>
        `${incarnation} leads in term ${leaderTerm} and writes from ${firstIndex} over ${written}`,
    );
    this.#written.set(incarnation, lastIndex);
  }

  gone(incarnation: string): void {
    this.#led.delete(incarnation);
    this.#written.delete(incarnation);
  }
}
