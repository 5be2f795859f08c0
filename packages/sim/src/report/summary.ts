// What many runs showed together: how much happened, how often each fault, which marks; and what a
// long run must have had and did not.
import { type FaultKind, faultKinds } from "../fault-counts.ts";
import { crashPoints } from "../crash-points.ts";
import { damageMarks } from "../damage/damage-marks.ts";
import { rareStates } from "../rare-states.ts";
import type { RunResult } from "../run.ts";

/** What of a run counts here; travels between processes. */
export interface RunFigures {
  readonly seed: number;
  readonly members: number;
  readonly virtualMs: number;
  readonly ok: number;
  readonly refused: number;
  readonly unknown: number;
  readonly leaders: number;
  readonly boots: number;
  /** Revisions that watchers were told of. */
  readonly watched: number;
  /** Operations of a history that was searched through (black-box.ts). */
  readonly searched: number;
  readonly faults: readonly (readonly [FaultKind, number])[];
  readonly marks: readonly (readonly [string, number])[];
  readonly unseed: string;
}

export function figuresOf(result: RunResult): RunFigures {
  return {
    seed: result.seed,
    members: result.options.members,
    virtualMs: result.virtualMs,
    ok: result.operations.ok,
    refused: result.operations.refused,
    unknown: result.operations.unknown,
    leaders: result.leaders,
    boots: result.boots,
    watched: result.watched,
    searched: result.searched?.operations ?? 0,
    faults: result.faults.entries(),
    marks: [
      ...[...result.marks].map(([mark, { passed }]) => [mark, passed] as const),
      ...result.rareStates,
    ],
    unseed: result.unseed,
  };
}

export class Summary {
  runs: number;
  virtualMs: number;
  operations: number;
  watched: number;
  /** Runs whose history was searched through, and their operations. */
  searchedRuns: number;
  searchedOperations: number;
  #runsWithLeaderChange: number;
  readonly #ok: number[];
  readonly #faults: Map<FaultKind, number>;
  readonly #marks: Map<string, number>;

  constructor() {
    this.runs = 0;
    this.virtualMs = 0;
    this.operations = 0;
    this.watched = 0;
    this.searchedRuns = 0;
    this.searchedOperations = 0;
    this.#runsWithLeaderChange = 0;
    this.#ok = [];
    this.#faults = new Map(faultKinds.map((kind) => [kind, 0]));
    const places = [...crashPoints.map(({ mark }) => mark), ...damageMarks];
    this.#marks = new Map([...places, ...rareStates].map((mark) => [mark, 0]));
  }

  add(figures: RunFigures): void {
    this.runs++;
    this.virtualMs += figures.virtualMs;
    this.operations += figures.ok + figures.refused + figures.unknown;
    this.watched += figures.watched;
    if (figures.searched > 0) this.searchedRuns++;
    this.searchedOperations += figures.searched;
    if (figures.leaders > 1) this.#runsWithLeaderChange++;
    this.#ok.push(figures.ok);
    for (const [kind, count] of figures.faults) addTo(this.#faults, kind, count);
    for (const [mark, count] of figures.marks) addTo(this.#marks, mark, count);
  }

  get faultsTotal(): number {
    let total = 0;
    for (const count of this.#faults.values()) total += count;
    return total;
  }

  get missingFaults(): FaultKind[] {
    return faultKinds.filter((kind) => this.#faults.get(kind) === 0);
  }

  get missingMarks(): string[] {
    return [...this.#marks].filter(([, count]) => count === 0).map(([mark]) => mark);
  }

  /** Of the runs: with more than one leader, and acknowledged operations of the median run. */
  headline(): string {
    const changed = Math.round((100 * this.#runsWithLeaderChange) / Math.max(1, this.runs));
    const sorted = [...this.#ok].sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return (
      `${this.runs} runs, ${hours(this.virtualMs)} virtual hours, ${this.operations} operations, ` +
      `median of ${median} acknowledged a run, a leader change in ${changed} % of runs`
    );
  }

  faultLines(): string[] {
    return columns([...this.#faults]);
  }

  markLines(): string[] {
    return columns([...this.#marks]);
  }
}

export function hours(ms: number): string {
  return (ms / 3_600_000).toFixed(2);
}

function addTo<K>(map: Map<K, number>, key: K, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

/** Two to a line: name and number. */
function columns(rows: readonly (readonly [string, number])[]): string[] {
  const cells = rows.map(([name, count]) => `${name.padEnd(28)}${String(count).padStart(8)}`);
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += 2) {
    lines.push(`  ${cells[at]!}${at + 1 < cells.length ? `   ${cells[at + 1]!}` : ""}`);
  }
  return lines;
}
