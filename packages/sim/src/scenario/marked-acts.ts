// What a story has planned for the moment in which a process passes a mark: that it crashes there, or
// that something happens right afterwards.
import type { EndKind, SimProcess } from "../sim-env.ts";
import type { World } from "../world.ts";

/** A crash that a story has planned at a mark. */
export interface PlannedCrash {
  /** Null: any. */
  readonly member: string | null;
  readonly mark: string;
  readonly how: EndKind;
  readonly when: (name: string) => boolean;
  /** Passes of the mark that still go by. */
  passesLeft: number;
  /** Who crashed; null: nobody yet. */
  crashed: string | null;
}

interface PlannedAct {
  readonly member: string;
  readonly mark: string;
  readonly when: () => boolean;
  readonly act: () => void;
}

export class MarkedActs {
  readonly #world: World;
  readonly #onCrash: (name: string, mark: string) => void;
  #crashes: PlannedCrash[];
  #acts: PlannedAct[];

  constructor(world: World, onCrash: (name: string, mark: string) => void) {
    this.#world = world;
    this.#onCrash = onCrash;
    this.#crashes = [];
    this.#acts = [];
  }

  crash(planned: PlannedCrash): PlannedCrash {
    this.#crashes.push(planned);
    return planned;
  }

  act(planned: PlannedAct): void {
    this.#acts.push(planned);
  }

  clear(): void {
    this.#crashes = [];
    this.#acts = [];
  }

  /** A process passes a mark: how it crashes there, or null. */
  passed(incarnation: SimProcess, mark: string): EndKind | null {
    if (this.#acts.length === 0 && this.#crashes.length === 0) return null;
    const name = nameOf(incarnation);
    const due = this.#acts.find((one) => one.mark === mark && one.member === name && one.when());
    if (due !== undefined) {
      this.#acts = this.#acts.filter((one) => one !== due);
      this.#world.after(0, due.act);
    }
    for (const crash of this.#crashes) {
      if (crash.mark !== mark || crash.crashed !== null) continue;
      if (crash.member !== null && crash.member !== name) continue;
      if (!crash.when(name) || crash.passesLeft-- > 0) continue;
      crash.crashed = name;
      this.#onCrash(name, mark);
      return crash.how;
    }
    return null;
  }
}

export function nameOf(incarnation: SimProcess): string {
  return incarnation.name.split("#")[0]!;
}
