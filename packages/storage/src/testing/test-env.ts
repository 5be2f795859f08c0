// One member's world for storage's tests: a memory disk, a clock that the test moves, seeded
// randomness, and a fatal exit that the test can look at. `run` does everything that is due.
import { assert, Prng } from "@quorate/base";
import type { Clock, Env, ExitCode, Random, Trace, TraceFields, Transport } from "../env.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** Thrown out of the code under test where the process would end. */
export class ProcessEnd extends Error {
  readonly exitCode: ExitCode;
  readonly reason: string;

  constructor(exitCode: ExitCode, reason: string) {
    super(`exit ${exitCode}: ${reason}`);
    this.exitCode = exitCode;
    this.reason = reason;
  }
}

class TestRandom implements Random {
  #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  u32(): number {
    return this.#prng.u32();
  }

  below(n: number): number {
    return this.#prng.below(n);
  }

  fork(label: string): Random {
    return new TestRandom(this.#prng.fork(label));
  }
}

export interface TraceLine {
  readonly event: string;
  readonly fields: TraceFields;
}

const stepsMax = 1_000_000;

export class TestEnv implements Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: MemoryDisk;
  readonly transport: Transport;
  readonly trace: Trace;
  /** Milliseconds on both clocks. */
  nowMs: number;
  readonly lines: TraceLine[];
  readonly marks: string[];
  #turns: (() => void)[];

  /** The disk outlives the process; everything else is new with each start. */
  constructor(disk: MemoryDisk, seed: number) {
    this.disk = disk;
    this.nowMs = 0;
    this.clock = { monotonicMs: () => this.nowMs, wallMs: () => 1_700_000_000_000 + this.nowMs };
    this.random = new TestRandom(new Prng(seed));
    this.transport = {
      dial: () => assert(false, "test env: no network") as never,
      listen: () => assert(false, "test env: no network"),
    };
    this.lines = [];
    this.marks = [];
    const note = (event: string, fields: TraceFields = {}): void => {
      this.lines.push({ event, fields });
    };
    this.trace = {
      debug: note,
      info: note,
      warn: note,
      error: note,
      mark: (point) => void this.marks.push(point),
    };
    this.#turns = [];
  }

  schedule(turn: () => void): void {
    this.#turns.push(turn);
  }

  fatal(exitCode: ExitCode, reason: string): never {
    throw new ProcessEnd(exitCode, reason);
  }

  restart(): never {
    return assert(false, "test env: storage never begins a process anew") as never;
  }

  /** One scheduled turn, or one disk operation; false when nothing is due. */
  step(): boolean {
    const turn = this.#turns.shift();
    if (turn === undefined) return this.disk.step();
    turn();
    return true;
  }

  /** Until nothing is due, or until `stop` says so. */
  run(stop: () => boolean = () => false): void {
    for (let i = 0; i < stepsMax; i++) {
      if (stop() || !this.step()) return;
    }
    assert(false, "test env: it never comes to rest");
  }
}
