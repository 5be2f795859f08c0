// One member of a simulated cluster: a machine with a disk and clocks, and on it at most one process
// at a time. The machine outlives its processes.
import { assert } from "@quorate/base";
import { Host, type HostConfig } from "@quorate/host";
import { SimClock } from "./sim-clock.ts";
import { SimDisk } from "./sim-disk.ts";
import { EndKind, type ProcessHooks, SimProcess } from "./sim-env.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { SimRandom } from "./sim-random.ts";
import { TickTimer } from "./tick-timer.ts";
import type { World } from "./world.ts";

const driftPpmMax = 200;
const wallSkewMsMax = 500;

export class SimMember {
  readonly name: string;
  /** Of its next process. */
  config: HostConfig;
  readonly disk: SimDisk;
  readonly clock: SimClock;
  boots: number;
  /** The present process, or the last one; null before the first start. */
  incarnation: SimProcess | null;
  /** Valid while `incarnation` lives. */
  host: Host | null;
  readonly #world: World;
  readonly #network: SimNetwork;
  readonly #random: SimRandom;
  /** Of `incarnation`. */
  #timer: TickTimer | null;
  /** The last process that was started beside it; mostly dead. */
  #second: SimProcess | null;
  #seconds: number;
  #suspended: boolean;

  constructor(world: World, network: SimNetwork, name: string, config: HostConfig) {
    this.name = name;
    this.config = config;
    this.#world = world;
    this.#network = network;
    this.#random = world.random(`member ${name}`);
    this.disk = new SimDisk(world, world.random(`disk ${name}`), name);
    const originMs = this.#random.below(1_000_000);
    const drift = this.#random.between(-driftPpmMax, driftPpmMax);
    const skewMs = this.#random.between(-wallSkewMsMax, wallSkewMsMax);
    this.clock = new SimClock(world, originMs, drift, skewMs);
    this.boots = 0;
    this.incarnation = null;
    this.host = null;
    this.#timer = null;
    this.#second = null;
    this.#seconds = 0;
    this.#suspended = false;
    network.addMachine(name, [`${name}:2380`]);
  }

  get running(): boolean {
    return this.incarnation?.alive ?? false;
  }

  start(hooks: ProcessHooks): void {
    assert(!this.running, () => `${this.name} runs already`);
    this.wake();
    this.boots++;
    const incarnation = this.#process(`${this.name}#${this.boots}`, `boot ${this.boots}`, hooks);
    this.incarnation = incarnation;
    this.host = null;
    const { tickMs } = this.config;
    this.#timer = new TickTimer(this.#world, this.clock, this.#random, incarnation, tickMs, (n) =>
      this.host?.tick(n),
    );
    incarnation.run(() => {
      this.host = new Host(incarnation, this.config);
      this.host.start();
    });
    this.#timer.start();
  }

  /** Another process on the same directory, beside the one that runs: it must not get far. */
  startSecond(hooks: ProcessHooks): SimProcess {
    assert(this.running, () => `${this.name} does not run`);
    this.#seconds++;
    const name = `${this.name}#${this.boots} second ${this.#seconds}`;
    const second = this.#process(name, `second ${this.#seconds}`, hooks);
    this.#second = second;
    second.run(() => new Host(second, this.config).start());
    return second;
  }

  #process(name: string, stream: string, hooks: ProcessHooks): SimProcess {
    const parts = {
      world: this.#world,
      network: this.#network,
      disk: this.disk,
      clock: this.clock,
      random: this.#random.fork(stream),
      machine: this.name,
    };
    return new SimProcess(name, parts, hooks);
  }

  /** Graceful: the process ends by itself when its host has stopped. */
  stop(): void {
    const { incarnation, host } = this;
    assert(incarnation !== null && host !== null, "SimMember.stop: not started");
    incarnation.run(() => host.stop(() => incarnation.exit()));
  }

  kill(): void {
    this.incarnation?.kill(EndKind.Killed, "kill -9");
  }

  powerLoss(): void {
    if (this.running) this.incarnation!.kill(EndKind.PowerLost, "power loss");
    else this.loseCache();
  }

  /** What a power loss does to the machine once no process runs. */
  loseCache(): void {
    this.#second?.kill(EndKind.PowerLost, "power loss");
    this.#network.powerOff(this.name);
    this.disk.powerLoss();
  }

  // ---- time ---------------------------------------------------------------------------------------

  /** The event loop is busy for so long: timers are late, then everything comes at once. */
  stall(ms: number): void {
    const { incarnation } = this;
    const timer = this.#timer;
    assert(incarnation !== null && timer !== null, "SimMember.stall: not started");
    incarnation.pause();
    this.#world.after(ms * 1000, () => {
      if (!incarnation.alive || !incarnation.paused || this.#suspended) return;
      incarnation.resumeAtOnce(() => {
        const ticks = timer.take();
        if (ticks > 0) this.host?.tick(ticks);
      });
    });
  }

  /** The machine sleeps until `wake`, or until a process is started on it. */
  suspend(): void {
    if (this.#suspended) return;
    this.#suspended = true;
    if (this.running && !this.incarnation!.paused) this.incarnation!.pause();
    this.clock.suspend();
    this.#network.stall(this.name);
  }

  wake(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.clock.wake();
    this.#network.release(this.name);
    if (this.running && this.incarnation!.paused) this.incarnation!.resume();
  }
}
