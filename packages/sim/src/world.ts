// Virtual time: a heap of events ordered by (time, a tie-break drawn from the seed). Everything
// that happens in a simulation happens in an event of one World; nothing here knows what members,
// disks or networks are. Two runs of one seed give the same trace hash and the same unseed.
import { assert, Heap, Prng } from "@quorate/base";
import type { TraceFields } from "@quorate/storage";
import { ActionGate } from "./action-gate.ts";
import { FaultCounts } from "./fault-counts.ts";
import { SimRandom } from "./sim-random.ts";
import { TraceLevel, TraceLog } from "./trace-log.ts";

/** A run that makes this many events is caught in a loop. */
const eventsMaxDefault = 50_000_000;

export class WorldEvent {
  readonly atUs: number;
  readonly tieBreak: number;
  readonly sequence: number;
  /** Null: cancelled or done. */
  run: (() => void) | null;

  constructor(atUs: number, tieBreak: number, sequence: number, run: () => void) {
    this.atUs = atUs;
    this.tieBreak = tieBreak;
    this.sequence = sequence;
    this.run = run;
  }
}

export class World {
  readonly seed: number;
  readonly trace: TraceLog;
  readonly faults: FaultCounts;
  readonly actions: ActionGate;
  /** All random streams, in order of their making. */
  readonly streams: SimRandom[];
  eventsMax: number;
  /** After every event, with nothing on the stack: where checkers look. */
  readonly afterEvent: (() => void)[];
  readonly #root: Prng;
  readonly #tieBreaks: SimRandom;
  readonly #labels: Set<string>;
  readonly #heap: Heap<WorldEvent>;
  #nowUs: number;
  #events: number;
  #sequence: number;

  constructor(seed: number) {
    this.seed = seed;
    this.trace = new TraceLog();
    this.faults = new FaultCounts();
    this.actions = new ActionGate();
    this.streams = [];
    this.eventsMax = eventsMaxDefault;
    this.afterEvent = [];
    this.#root = new Prng(seed);
    this.#labels = new Set();
    this.#heap = new Heap(compareEvents);
    this.#nowUs = 0;
    this.#events = 0;
    this.#sequence = 0;
    this.#tieBreaks = this.random("world.ties");
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  get eventCount(): number {
    return this.#events;
  }

  /** A stream for one purpose; a label is taken once. */
  random(label: string): SimRandom {
    assert(!this.#labels.has(label), () => `World.random: the stream ${label} exists`);
    this.#labels.add(label);
    return new SimRandom(this.#root.fork(label), this);
  }

  after(delayUs: number, run: () => void): WorldEvent {
    assert(Number.isSafeInteger(delayUs) && delayUs >= 0, "World.after: not a whole delay ≥ 0");
    const atUs = this.#nowUs + delayUs;
    const event = new WorldEvent(atUs, this.#tieBreaks.u32(), this.#sequence++, run);
    this.#heap.push(event);
    return event;
  }

  cancel(event: WorldEvent): void {
    event.run = null;
  }

  note(source: string, event: string, fields?: TraceFields): void {
    this.trace.line(this.#nowUs, source, TraceLevel.World, event, fields);
  }

  /** Runs the next event; false when none is left. */
  step(): boolean {
    for (;;) {
      const event = this.#heap.pop();
      if (event === null) return false;
      const run = event.run;
      if (run === null) continue;
      event.run = null;
      assert(event.atUs >= this.#nowUs, "World.step: time would go back");
      this.#nowUs = event.atUs;
      this.#events++;
      assert(this.#events <= this.eventsMax, "World.step: more than eventsMax events");
      this.trace.number(event.atUs);
      run();
      for (const look of this.afterEvent) look();
      return true;
    }
  }

  /** Runs until the condition holds; false when time is up (or nothing is left) before. */
  runUntil(condition: () => boolean, withinMs: number): boolean {
    const deadlineUs = this.#nowUs + Math.round(withinMs * 1000);
    while (!condition()) {
      if (!this.#stepBefore(deadlineUs)) return condition();
    }
    return true;
  }

  runFor(ms: number): void {
    const deadlineUs = this.#nowUs + Math.round(ms * 1000);
    while (this.#stepBefore(deadlineUs)) {
      // Every event up to the deadline.
    }
  }

  // One event at or before the deadline; without one, time moves to the deadline.
  #stepBefore(deadlineUs: number): boolean {
    for (;;) {
      const next = this.#heap.peek();
      if (next !== null && next.run === null) {
        this.#heap.pop();
        continue;
      }
      if (next !== null && next.atUs <= deadlineUs) return this.step();
      this.#nowUs = Math.max(this.#nowUs, deadlineUs);
      return false;
    }
  }

  /** One more number of every stream and the trace's hash: equal for equal runs, else not. */
  unseed(): string {
    for (const stream of this.streams) this.trace.number(stream.u32());
    this.trace.number(this.streams.length);
    this.trace.number(this.#nowUs);
    this.trace.number(this.#events);
    return this.trace.hash();
  }
}

function compareEvents(a: WorldEvent, b: WorldEvent): number {
  return a.atUs - b.atUs || a.tieBreak - b.tieBreak || a.sequence - b.sequence;
}
