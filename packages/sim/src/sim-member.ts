// One member of a simulated cluster: a machine with a disk and clocks, and on it at most one process
// at a time. The machine outlives its processes.
import { assert } from "@quorate/base";
import { Host, type HostConfig } from "@quorate/host";
import { SimClock } from "./sim-clock.ts";
import { SimDisk } from "./sim-disk.ts";
import { EndKind, type ProcessHooks, SimProcess } from "./sim-env.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { SimRandom } from "./sim-random.ts";
import type { World } from "./world.ts";

/** As the production event loop clamps after a stall. */
const ticksAtOnceMax = 5;
const driftPpmMax = 200;
const wallSkewMsMax = 500;

export class SimMember {
  readonly name: string;
  readonly config: HostConfig;
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
    network.addMachine(name, [`${name}:2380`]);
  }

  get running(): boolean {
    return this.incarnation?.alive ?? false;
  }

  start(hooks: ProcessHooks): void {
    assert(!this.running, () => `${this.name} runs already`);
    this.boots++;
    const incarnation = new SimProcess(
      `${this.name}#${this.boots}`,
      {
        world: this.#world,
        network: this.#network,
        disk: this.disk,
        clock: this.clock,
        random: this.#random.fork(`boot ${this.boots}`),
        machine: this.name,
      },
      hooks,
    );
    this.incarnation = incarnation;
    this.host = null;
    incarnation.run(() => {
      this.host = new Host(incarnation, this.config);
      this.host.start();
    });
    this.#tickLater(incarnation, this.clock.monotonicMs());
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
    this.#network.powerOff(this.name);
    this.disk.powerLoss();
  }

  // The event loop's timer: late by what else it has to do, and clamped after a pause.
  #tickLater(incarnation: SimProcess, sinceMs: number): void {
    const { tickMs } = this.config;
    const lateUs = this.#random.below(500);
    this.#world.after(this.clock.worldUs(tickMs) + lateUs, () => {
      if (!incarnation.alive) return;
      if (incarnation.paused) return this.#tickLater(incarnation, sinceMs);
      const nowMs = this.clock.monotonicMs();
      const owed = Math.floor((nowMs - sinceMs) / tickMs);
      const ticks = Math.min(owed, ticksAtOnceMax);
      if (ticks > 0) incarnation.run(() => this.host?.tick(ticks));
      const behind = owed > ticksAtOnceMax;
      this.#tickLater(incarnation, behind ? nowMs : sinceMs + ticks * tickMs);
    });
  }
}
