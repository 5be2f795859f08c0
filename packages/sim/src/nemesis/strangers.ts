// Who does not belong here dials the peer ports: members of another cluster, with another token, not
// listed, of another genesis, under the receiver's own name, of another protocol; and whoever says
// anything else. Each is refused with its reason, and nothing of what it says is ever stepped.
import {
  encodeForwardProposal,
  encodeHello,
  FrameType,
  FrameWriter,
  Hello,
  type HelloFields,
  LinkClass,
  peerProtocolVersion,
  RefusalCode,
} from "@quorate/host/internal";
import { ByteWriter } from "@quorate/base";
import { encodeMessage, Message, MessageType } from "@quorate/raft";
import { checkStranger, checkTermIsOwn, strangersTerm } from "../checkers/strangers.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { ForeignLink, openForeignMachine } from "./foreign-link.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export type StrangerOptions = Pace;

export function drawStrangers(random: SimRandom): StrangerOptions {
  return drawPace(random);
}

const standsMaxMs = 3_000;

const disguises = [
  "another cluster",
  "another token",
  "unknown member",
  "another genesis",
  "own id",
  "wrong version",
  "random bytes",
  "cut hello",
  "no hello",
] as const;
type Disguise = (typeof disguises)[number];

export class Strangers implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: StrangerOptions) {
    this.name = "strangers";
    this.#cluster = cluster;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    openForeignMachine(cluster);
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#checkNothingStepped();
  }

  #act(random: SimRandom): void {
    this.#checkNothingStepped();
    const member = random.pick(this.#cluster.members);
    if (!member.running || member.host === null) return;
    const { world } = this.#cluster;
    const disguise = random.pick(disguises);
    const { incarnation } = member;
    const started = member.host.inside() !== null;
    const expected = expectedRefusal(disguise, started);
    world.faults.count("network.stranger");
    world.note("network", "stranger", { to: member.name, disguise });
    const link = new ForeignLink(
      this.#cluster,
      member.config.members.find((listed) => listed.name === member.name)!.peerAddresses[0]!,
      () => {
        for (const bytes of speechOf(disguise, member, started, random)) link.say(bytes);
      },
      ({ outcome }) => {
        // Its next process opens its directory before it knows of a genesis.
        if (started && member.incarnation !== incarnation) return;
        checkStranger(member.name, disguise, outcome, expected);
      },
    );
    world.after(random.doublings(10, standsMaxMs) * 1000, () => link.close());
  }

  #checkNothingStepped(): void {
    for (const { name, running, host } of this.#cluster.members) {
      if (!running || host === null) continue;
      checkTermIsOwn(name, host.status().term);
    }
  }
}

/** Where the genesis has not started it may start between the dial and the answer. */
function expectedRefusal(disguise: Disguise, started: boolean): readonly number[] {
  switch (disguise) {
    case "another cluster":
      return [RefusalCode.WrongCluster];
    case "another token":
      return [RefusalCode.WrongToken];
    case "unknown member":
      return [RefusalCode.UnknownMember];
    case "another genesis":
      return [RefusalCode.AnotherGenesis, ...(started ? [] : [RefusalCode.UnknownMember])];
    case "own id":
      return [RefusalCode.OwnId];
    case "wrong version":
      return [RefusalCode.WrongProtocol];
    default:
      return [];
  }
}

/** One send after the other. */
function speechOf(
  disguise: Disguise,
  member: SimMember,
  started: boolean,
  random: SimRandom,
): Uint8Array[] {
  const poison = poisonFor(member, random);
  const hello = encodeHello(new Hello(helloOf(disguise, member, started, random)));
  if (disguise === "wrong version") {
    hello[0] = (peerProtocolVersion + random.between(1, 100)) & 0xff;
  }
  const greeting = framesOf([[FrameType.Hello, hello]], 0);
  switch (disguise) {
    case "random bytes":
      return [Uint8Array.from({ length: random.doublings(1, 2_000) }, () => random.below(256))];
    case "cut hello":
      return [greeting.subarray(0, random.between(1, greeting.length - 1))];
    case "no hello":
      return [framesOf(poison, 0)];
    default:
      return [greeting, framesOf(poison, 1)];
  }
}

function helloOf(
  disguise: Disguise,
  member: SimMember,
  started: boolean,
  random: SimRandom,
): HelloFields {
  const { config } = member;
  const others = config.members.filter((listed) => listed.name !== member.name);
  const known = others.length === 0 ? "00000000000000ee" : random.pick(others).memberId;
  // Once there is a genesis, who is listed and names another one is refused for that alone.
  const unknown = disguise === "unknown member" || (disguise === "another genesis" && !started);
  return {
    linkClass: random.pick([LinkClass.Control, LinkClass.Data, LinkClass.Snapshot]),
    clusterId: disguise === "another cluster" ? "00000000000000ff" : config.clusterId,
    token: disguise === "another token" ? `${config.token} 2` : config.token,
    memberId: disguise === "own id" ? config.memberId : unknown ? "00000000000000ee" : known,
    raftId: 1 + random.below(2 ** 52 - 1),
    bootCount: random.between(1, 1000),
    session: 1 + random.below(2 ** 52),
    genesisId: disguise === "another genesis" ? 1 + random.below(2 ** 52) : 0,
    term: strangersTerm,
    lastIndex: 2 ** 40,
    levelMax: 1,
    leader: 0,
    toSession: member.host?.status().session ?? 0,
    toBootCount: 0,
    wallMs: 1,
    peerUrls: [`http://${known}:2380`],
  };
}

/** What would do harm if it were stepped, in the name of whoever the receiver may listen to. */
function poisonFor(member: SimMember, random: SimRandom): [FrameType, Uint8Array][] {
  const status = member.host!.status();
  const types = [MessageType.AppendEntries, MessageType.Heartbeat, MessageType.Vote];
  const from = status.peers.find((peer) => peer.raftId !== 0)?.raftId ?? 1;
  // Until its directory is open it has no raft id.
  const to = Math.max(1, status.raftId);
  const frames = types.map((type): [FrameType, Uint8Array] => {
    const message = new Message(type, from, to, strangersTerm + random.below(1000));
    message.session = 1 + random.below(2 ** 52);
    message.toSession = status.session;
    const writer = new ByteWriter();
    encodeMessage(writer, message);
    return [FrameType.Message, writer.take()];
  });
  const write = encodeForwardProposal(status.session, 1, 16, new Uint8Array(20));
  return [...frames, [FrameType.ForwardProposal, write]];
}

function framesOf(
  frames: readonly (readonly [FrameType, Uint8Array])[],
  lastNumber: number,
): Uint8Array {
  const writer = new FrameWriter(lastNumber, 256);
  for (const [type, body] of frames) {
    writer.begin(type);
    writer.body.bytes(body);
    writer.end();
  }
  return writer.take();
}
