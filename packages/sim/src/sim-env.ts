// The Env of one process: one incarnation of a member, from its start to its death. Everything the
// outside calls back goes through `run`, so a dead process is never entered again and a paused one
// finds its backlog when it wakes. A crash point, `fatal` and an assertion all end the process by
// unwinding to `run`.
import { assert, AssertionError } from "@quorate/base";
import type { Clock, Disk, Env, ExitCode, Trace, TraceFields, Transport } from "@quorate/storage";
import { DiskView } from "./disk/disk-view.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { SimRandom } from "./sim-random.ts";
import type { SimUser } from "./sim-user.ts";
import { TraceLevel } from "./trace-log.ts";
import type { World, WorldEvent } from "./world.ts";

export const EndKind = {
  Running: 0,
  /** Left by itself, with an exit code. */
  Exited: 1,
  /** kill -9, or a crash point. */
  Killed: 2,
  PowerLost: 3,
  /** An assertion failed: a bug, and the run fails. */
  Asserted: 4,
} as const;
export type EndKind = (typeof EndKind)[keyof typeof EndKind];

/** Decides whether the process crashes at this mark, and how. */
export type CrashPlan = (incarnation: SimProcess, point: string) => EndKind | null;

export interface ProcessParts {
  readonly world: World;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly clock: Clock;
  readonly random: SimRandom;
  /** Name of the machine, for cuts. */
  readonly machine: string;
}

export interface ProcessHooks {
  readonly crashPlan: CrashPlan | null;
  /** Every mark that is passed, crash or not. */
  readonly onMark: (incarnation: SimProcess, point: string) => void;
  /** Nothing of the process runs any more; its disk and links are settled. */
  readonly onEnd: (incarnation: SimProcess) => void;
}

/** Thrown through the process when it dies inside a call; only `run` catches it. */
class ProcessEnded extends Error {}

/** µs between the call of `schedule` and the turn: what else is waiting in the event loop. */
const turnDelayMaxUs = 40;

/** µs between two events that a woken process finds. */
const wakeStepMaxUs = 60;

export class SimProcess implements Env, SimUser {
  readonly name: string;
  readonly machine: string;
  readonly clock: Clock;
  readonly random: SimRandom;
  readonly disk: Disk;
  readonly transport: Transport;
  readonly trace: Trace;
  end: EndKind;
  exitCode: ExitCode | null;
  /** It has ended in order to begin anew at once, by itself. */
  restarts: boolean;
  reason: string;
  /** The assertion that ended it, with its stack. */
  failure: Error | null;
  marks: number;
  /** It was entered since somebody last set this to false. */
  ran: boolean;
  /** When it was last woken from a pause; 0: never. */
  wokenUs: number;
  readonly #parts: ProcessParts;
  readonly #hooks: ProcessHooks;
  readonly #scheduling: SimRandom;
  #turns: (() => void)[];
  #paused: boolean;
  /** Woken, and still at what arrived during the pause: everything new waits behind it. */
  #waking: boolean;
  #wakeStep: WorldEvent | null;
  #backlog: (() => void)[];
  #inside: boolean;

  constructor(name: string, parts: ProcessParts, hooks: ProcessHooks) {
    this.name = name;
    this.machine = parts.machine;
    this.clock = parts.clock;
    this.random = parts.random;
    this.end = EndKind.Running;
    this.exitCode = null;
    this.restarts = false;
    this.reason = "";
    this.failure = null;
    this.marks = 0;
    this.ran = false;
    this.wokenUs = 0;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#scheduling = parts.random.fork("schedule");
    this.#turns = [];
    this.#paused = false;
    this.#waking = false;
    this.#wakeStep = null;
    this.#backlog = [];
    this.#inside = false;
    this.disk = new DiskView(parts.disk, this);
    this.transport = parts.network.attach(this, parts.machine);
    this.trace = this.#makeTrace();
  }

  get alive(): boolean {
    return this.end === EndKind.Running;
  }

  schedule(turn: () => void): void {
    if (!this.alive) return;
    this.#turns.push(turn);
    if (this.#turns.length > 1) return;
    this.#parts.world.after(this.#scheduling.below(turnDelayMaxUs + 1), () => {
      const turn = (): void => {
        const turns = this.#turns;
        this.#turns = [];
        for (const next of turns) next();
      };
      // A turn does not wait behind what else a woken process finds.
      if (this.alive && this.#waking && !this.#paused) this.#enter(turn);
      else this.run(turn);
    });
  }

  fatal(exitCode: ExitCode, reason: string): never {
    this.exitCode = exitCode;
    this.#die(EndKind.Exited, reason);
    throw new ProcessEnded(reason);
  }

  restart(reason: string): never {
    this.restarts = true;
    this.#die(EndKind.Exited, reason);
    throw new ProcessEnded(reason);
  }

  /** Ends well, from inside: exit code 0. */
  exit(): never {
    this.#die(EndKind.Exited, "stopped");
    throw new ProcessEnded("stopped");
  }

  run(task: () => void): void {
    if (!this.alive) return;
    if (this.#paused || this.#waking) {
      this.#backlog.push(task);
      return;
    }
    this.#enter(task);
  }

  #enter(task: () => void): void {
    const outermost = !this.#inside;
    this.#inside = true;
    this.ran = true;
    try {
      task();
    } catch (thrown) {
      if (!(thrown instanceof ProcessEnded)) this.#failed(thrown);
      // Frames of the dead process below must not go on.
      if (!outermost) throw thrown;
    } finally {
      if (outermost) this.#inside = false;
    }
  }

  /** From outside: kill -9, or the power goes (then the machine's disk is settled by the caller). */
  kill(how: EndKind, reason: string): void {
    assert(!this.#inside, "SimProcess.kill: from inside the process");
    assert(how === EndKind.Killed || how === EndKind.PowerLost, "SimProcess.kill: not a death");
    if (this.alive) this.#die(how, reason);
  }

  /** SIGSTOP: what arrives meanwhile waits, in order. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    assert(this.#paused, "SimProcess.resume: not paused");
    this.#paused = false;
    this.wokenUs = this.#parts.world.nowUs;
    if (this.#wakeStep !== null) return;
    this.#waking = true;
    this.#wake();
  }

  /**
   * The event loop was busy: timers that are due come first, then everything that has arrived, and
   * only then a turn.
   */
  resumeAtOnce(timers: () => void): void {
    assert(this.#paused, "SimProcess.resumeAtOnce: not paused");
    this.#paused = false;
    this.wokenUs = this.#parts.world.nowUs;
    this.#waking = false;
    if (this.#wakeStep !== null) this.#parts.world.cancel(this.#wakeStep);
    this.#wakeStep = null;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const task of [timers, ...backlog]) {
      if (this.alive) this.#enter(task);
    }
  }

  // One after the other, as an event loop finds its sockets: turns run in between.
  #wake(): void {
    this.#wakeStep = null;
    if (!this.alive || this.#paused) return;
    const task = this.#backlog.shift();
    if (task === undefined) {
      this.#waking = false;
      return;
    }
    this.#enter(task);
    const stepUs = this.#scheduling.below(wakeStepMaxUs + 1);
    this.#wakeStep = this.#parts.world.after(stepUs, () => this.#wake());
  }

  get paused(): boolean {
    return this.#paused;
  }

  #die(how: EndKind, reason: string): void {
    this.end = how;
    this.reason = reason;
    this.#turns = [];
    this.#backlog = [];
    this.#parts.world.note(this.name, "process ended", {
      how,
      exitCode: this.exitCode,
      reason,
    });
    this.#parts.network.detach(this, how === EndKind.PowerLost);
    this.#parts.disk.kill(this);
    this.#hooks.onEnd(this);
  }

  // What escapes a process is a bug in it: an assertion, or worse.
  #failed(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new AssertionError(String(thrown));
    this.failure ??= error;
    if (this.alive) this.#die(EndKind.Asserted, error.message);
  }

  #mark(point: string): void {
    this.marks++;
    this.#hooks.onMark(this, point);
    const how = this.#hooks.crashPlan === null ? null : this.#hooks.crashPlan(this, point);
    if (how === null) return;
    this.#die(how, `crash point ${point}`);
    throw new ProcessEnded(point);
  }

  #makeTrace(): Trace {
    const world = this.#parts.world;
    const write =
      (level: TraceLevel) =>
      (event: string, fields?: TraceFields): void =>
        world.trace.line(world.nowUs, this.name, level, event, fields);
    return {
      debug: write(TraceLevel.Debug),
      info: write(TraceLevel.Info),
      warn: write(TraceLevel.Warn),
      error: write(TraceLevel.Error),
      mark: (point) => this.#mark(point),
    };
  }
}
