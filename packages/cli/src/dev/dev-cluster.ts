// The members of a local cluster: started together, watched, started again when something kills
// them, stopped together. It decides; MemberProcess runs and Screen shows.
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes } from "../exit.ts";
import { askMember } from "../status/member-report.ts";
import { describeEnding, isForGood } from "./ending.ts";
import { clientAddress, serveArguments } from "./layout.ts";
import type { DevMember } from "./layout.ts";
import { MemberProcess } from "./member-process.ts";
import type { Ending } from "./member-process.ts";
import { Restarts, restartsMax } from "./restarts.ts";
import type { Screen } from "./screen.ts";

const pollMs = 100;
const pollTimeoutMs = 1000;
const restartDelayMs = 1000;
/** While the cluster is not ready, what it waits for is told this often. */
const waitingLineMs = 10_000;
/** A member's own limit for a clean stop is 10 s. */
const stopTimeoutMs = 12_000;

interface Slot {
  readonly number: number;
  readonly member: DevMember;
  readonly restarts: Restarts;
  /** Null: not running. */
  process: MemberProcess | null;
  restartTimer: NodeJS.Timeout | null;
  /** It has ended and will not be started again. */
  ended: boolean;
  /** Since its last start it has been seen running with a leader. */
  serving: boolean;
  waitsFor: string;
}

export class DevCluster {
  readonly #screen: Screen;
  readonly #slots: readonly Slot[];
  readonly #onReady: () => void;
  readonly #done: PromiseWithResolvers<number>;
  #ready: boolean;
  #stopping: boolean;
  #exitCode: number;

  constructor(members: readonly DevMember[], screen: Screen, onReady: () => void) {
    this.#screen = screen;
    this.#slots = members.map((member, number) => ({
      number,
      member,
      restarts: new Restarts(),
      process: null,
      restartTimer: null,
      ended: false,
      serving: false,
      waitsFor: "it has not answered yet",
    }));
    this.#onReady = onReady;
    this.#done = Promise.withResolvers();
    this.#ready = false;
    this.#stopping = false;
    this.#exitCode = 0;
  }

  /** Resolves with the exit code when all members have ended for good. */
  async run(): Promise<number> {
    this.#slots.forEach((slot) => this.#start(slot));
    await Promise.race([this.#watch(), this.#done.promise]);
    return this.#done.promise;
  }

  pids(): ReadonlyMap<string, number> {
    return new Map(this.#slots.map(({ member, process }) => [member.name, process?.pid ?? 0]));
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** SIGTERM to all, and SIGKILL for those that take too long. */
  stop(): void {
    if (this.#stopping) {
      return;
    }
    this.#stopping = true;
    for (const slot of this.#slots) {
      if (slot.restartTimer !== null) clearTimeout(slot.restartTimer);
      slot.process?.signal("SIGTERM");
    }
    setTimeout(() => this.kill(), stopTimeoutMs).unref();
    this.#maybeDone();
  }

  kill(): void {
    for (const { process } of this.#slots) {
      process?.signal("SIGKILL");
    }
  }

  #start(slot: Slot): void {
    const members = this.#slots.map(({ member }) => member);
    slot.serving = false;
    slot.restartTimer = null;
    slot.process = new MemberProcess(serveArguments(slot.member, members), {
      onLine: (line) => this.#screen.member(slot.number, slot.member.name, line),
      onEnd: (ending) => this.#onEnd(slot, ending),
    });
  }

  #onEnd(slot: Slot, ending: Ending): void {
    const { name } = slot.member;
    slot.process = null;
    slot.serving = false;
    if (this.#stopping) {
      this.#maybeDone();
      return;
    }
    const what = `${name} ${describeEnding(ending)}`;
    if (isForGood(ending)) {
      this.#screen.say(`${what}; it is not started again`);
      this.#endForGood(slot, ending.code ?? exitCodes.unexpected);
    } else if (slot.restarts.allow(performance.now())) {
      this.#screen.say(`${what}; starting it again in ${restartDelayMs / 1000} s`);
      slot.restartTimer = setTimeout(() => this.#start(slot), restartDelayMs);
    } else {
      this.#screen.say(
        `${what}; it was started again ${restartsMax} times within a minute, giving up`,
      );
      this.#endForGood(slot, exitCodes.failed);
    }
  }

  /** The others go on while they are a majority; a port that is taken ends the whole start. */
  #endForGood(slot: Slot, exitCode: number): void {
    slot.ended = true;
    if (this.#exitCode === 0) this.#exitCode = exitCode;
    const left = this.#slots.filter((other) => !other.ended).length;
    const startFailed = !this.#ready && exitCode === exitCodes.usage;
    if (startFailed || left <= this.#slots.length / 2) {
      this.stop();
    }
  }

  #maybeDone(): void {
    if (this.#slots.every(({ process }) => process === null)) {
      this.#done.resolve(this.#exitCode);
    }
  }

  /** Asks the members that are not known to serve yet, over and over. */
  async #watch(): Promise<void> {
    let toldMs = performance.now();
    while (!this.#stopping) {
      await Promise.all(this.#slots.map((slot) => this.#poll(slot)));
      const waiting = this.#slots.filter((slot) => !slot.ended && !slot.serving);
      if (waiting.length === 0 && !this.#ready && !this.#stopping) {
        this.#ready = true;
        this.#onReady();
      }
      if (waiting.length === 0) {
        toldMs = performance.now();
      } else if (performance.now() - toldMs >= waitingLineMs) {
        toldMs = performance.now();
        const reasons = waiting.map((slot) => `${slot.member.name}: ${slot.waitsFor}`);
        this.#screen.say(`still waiting for ${reasons.join("; ")}`);
      }
      await sleep(pollMs, undefined, { ref: false });
    }
  }

  async #poll(slot: Slot): Promise<void> {
    const process = slot.process;
    if (process === null || slot.serving) {
      return;
    }
    const asked = await askMember(clientAddress(slot.member), pollTimeoutMs);
    if (slot.process !== process) {
      return;
    }
    if (!asked.ok) {
      slot.waitsFor = asked.reason;
    } else if (asked.report.phase !== "running") {
      slot.waitsFor = asked.report.reason || asked.report.phase;
    } else if (asked.report.leader === "") {
      slot.waitsFor = "it knows no leader";
    } else {
      slot.serving = true;
      if (this.#ready) this.#screen.say(`${slot.member.name} serves again (pid ${process.pid})`);
    }
  }
}
