// Connections of the last minute come again (network/wiretap.ts): to the process that had them, to
// its successor, from processes long dead. Nothing may come of it: sessions, terms and numbers tell
// old from new.
import { decodeHello, FrameParser, frameBodyBytesMax, FrameType } from "@quorate/host/internal";
import { checkDeadProcess } from "../checkers/strangers.ts";
import type { SimCluster } from "../cluster.ts";
import { type Recording, Wiretap } from "../network/wiretap.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { ForeignLink, openForeignMachine } from "./foreign-link.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface ReplayOptions extends Pace {
  /** At once behind the hello, or spread over some time. */
  readonly spreadMaxMs: number;
}

const ageMaxUs = 60_000_000;
/** How long a repeated connection stands at most. */
const standsMaxMs = 5_000;

export function drawReplays(random: SimRandom): ReplayOptions {
  return { spreadMaxMs: random.pick([1, 20, 2_000]), ...drawPace(random) };
}

export class Replays implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: ReplayOptions;
  readonly #repeater: Repeater;
  readonly #tap: Wiretap;

  constructor(cluster: SimCluster, options: ReplayOptions) {
    this.name = "replays";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#tap = new Wiretap();
    openForeignMachine(cluster);
  }

  start(): void {
    this.#cluster.network.tap = this.#tap;
    this.#repeater.start();
  }

  stop(): void {
    this.#cluster.network.tap = null;
    this.#repeater.stop();
  }

  #act(random: SimRandom): void {
    const { world } = this.#cluster;
    const known = this.#tap.since(Math.max(0, world.nowUs - ageMaxUs));
    const running = known.filter(({ to }) => this.#cluster.member(to.name).running);
    const restarted = running.filter((recording) => this.#hasRestarted(recording));
    const from = restarted.length > 0 && random.chance(0.5) ? restarted : running;
    if (from.length > 0) this.#replay(random, random.pick(from));
  }

  #hasRestarted({ to, receiver }: Recording): boolean {
    return this.#cluster.member(to.name).incarnation?.name !== receiver;
  }

  #replay(random: SimRandom, recording: Recording): void {
    const { world } = this.#cluster;
    const { from, to, address } = recording;
    const restarted = this.#hasRestarted(recording);
    world.faults.count("network.replay");
    if (restarted) world.faults.count("network.replay-after-restart");
    world.note("network", "replay", { from: from.name, to: to.name, restarted });
    // A part from anywhere: frames are numbered, and what is missing counts as lost.
    const later = recording.later.slice(random.below(recording.later.length + 1));
    const stale = this.#isStale(recording);
    const receiver = this.#cluster.member(to.name).incarnation;
    const link = new ForeignLink(
      this.#cluster,
      address,
      () => {
        link.say(recording.first.bytes);
        if (random.chance(0.5)) for (const { bytes } of later) link.say(bytes);
        else this.#sayLater(random, link, later);
      },
      ({ outcome }) => {
        // A process that has just started knows of no sessions yet, and lets anybody in to talk genesis.
        const same = this.#cluster.member(to.name).incarnation === receiver;
        if (stale && same) checkDeadProcess(to.name, outcome);
      },
    );
    world.after(random.doublings(10, standsMaxMs) * 1000, () => link.close());
  }

  // The true process dials anew within a few ms when its connection is displaced; the record of a
  // new session takes about as long to become durable, and until then nothing else is heard.
  #sayLater(random: SimRandom, link: ForeignLink, later: Recording["later"]): void {
    const { world } = this.#cluster;
    let atMs = random.doublings(1, 32);
    for (const { bytes } of later) {
      world.after(atMs * 1000, () => link.say(bytes));
      atMs += random.below(Math.ceil(this.#options.spreadMaxMs / later.length) + 1);
    }
  }

  /**
   * The receiver has accepted a newer process of the member whose hello this is. A hello from before
   * its genesis is let in for genesis talk all the same, which asks for no session.
   */
  #isStale({ first, to }: Recording): boolean {
    const hello = helloIn(first.bytes);
    const member: SimMember = this.#cluster.member(to.name);
    if (hello === null || hello.genesisId === 0 || member.host === null) return false;
    const peer = member.host.status().peers.find((status) => status.raftId === hello.raftId);
    return peer !== undefined && peer.bootCount > hello.bootCount;
  }
}

function helloIn(bytes: Uint8Array): ReturnType<typeof asHello> {
  const parser = new FrameParser(frameBodyBytesMax);
  parser.feed(bytes);
  const frame = parser.next();
  return frame === null || frame.type !== FrameType.Hello ? null : asHello(frame.body);
}

function asHello(body: Uint8Array): Exclude<ReturnType<typeof decodeHello>, number> {
  const hello = decodeHello(body);
  return typeof hello === "number" ? null : hello;
}
