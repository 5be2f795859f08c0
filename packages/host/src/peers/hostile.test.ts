// Any bytes on the peer port: nothing is stepped before a hello is accepted, what makes no sense ends
// its link, and strangers cannot hold more than a bound.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter, Prng } from "@quorate/base";
import { encodeMessage, Message, MessageType } from "@quorate/raft";
import type { Link, LinkEnd } from "@quorate/storage";
import { FrameType, FrameWriter } from "./frame.ts";
import { encodeHello, Hello, LinkClass } from "./hello.ts";
import { handshakesMax } from "./incoming-links.ts";
import { memberIdOf, PeersBench, raftIdOf } from "./test/peers-bench.ts";
import type { Member } from "./test/peers-bench.ts";

/** A raw link to member 0, from machine 1, which runs nothing of ours. */
class Stranger {
  readonly bench: PeersBench;
  readonly member: Member;
  link: Link | null = null;
  opened = false;
  end: LinkEnd | null = null;
  received = 0;

  constructor(bench: PeersBench) {
    this.bench = bench;
    this.member = bench.members[0]!;
  }

  dial(): void {
    const user = { name: "stranger", alive: true, run: (task: () => void): void => task() };
    const transport = this.bench.network.attach(user, "m1");
    this.link = transport.dial("m0:2380", {
      onOpen: () => void (this.opened = true),
      onBytes: (bytes) => void (this.received += bytes.length),
      onDrain: () => {},
      onEnd: (end) => void (this.end = end),
    });
    assert.ok(this.bench.until(() => this.opened, 1000));
  }

  say(bytes: Uint8Array): void {
    this.link!.send(bytes);
    this.bench.run(50);
  }
}

function bench(seed: number): PeersBench {
  const made = new PeersBench(seed, 2);
  made.boot(0);
  return made;
}

function frames(...bodies: [FrameType, Uint8Array][]): Uint8Array {
  const writer = new FrameWriter(0, 64);
  for (const [type, body] of bodies) {
    writer.begin(type);
    writer.body.bytes(body);
    writer.end();
  }
  return writer.take();
}

function goodHello(session = 9): Uint8Array {
  return encodeHello(
    new Hello({
      linkClass: LinkClass.Control,
      clusterId: "c1",
      token: "token",
      memberId: memberIdOf(1),
      raftId: raftIdOf(1),
      bootCount: 1,
      session,
      genesisId: 77,
      term: 1,
      lastIndex: 0,
      levelMax: 1,
      leader: 0,
      toSession: 0,
      toBootCount: 0,
      wallMs: 0,
      peerUrls: [],
    }),
  );
}

function vote(session = 9): Uint8Array {
  const message = new Message(MessageType.Vote, raftIdOf(1), raftIdOf(0), 5);
  message.session = session;
  const writer = new ByteWriter();
  encodeMessage(writer, message);
  return writer.take();
}

test("a message before the hello ends the link and is not stepped; behind it, it is", () => {
  const early = new Stranger(bench(1));
  early.dial();
  early.say(frames([FrameType.Message, vote()], [FrameType.Hello, goodHello()]));
  assert.notEqual(early.end, null);
  // In one send with the hello, while its record is not durable yet.
  const hasty = new Stranger(bench(1));
  hasty.dial();
  hasty.say(frames([FrameType.Hello, goodHello()], [FrameType.Message, vote()]));
  assert.notEqual(hasty.end, null);
  for (const { member } of [early, hasty]) {
    assert.equal(member.messages.length, 0);
    assert.deepEqual(member.sessions, []);
  }
  const good = new Stranger(bench(1));
  good.dial();
  const writer = new FrameWriter(0, 64);
  writer.begin(FrameType.Hello);
  writer.body.bytes(goodHello());
  writer.end();
  good.say(writer.take());
  const second = new FrameWriter(1, 64);
  second.begin(FrameType.Message);
  second.body.bytes(vote());
  second.end();
  good.say(second.take());
  assert.equal(good.end, null);
  assert.equal(good.member.messages.length, 1);
});

test("random bytes, damaged and cut hellos: the link ends or waits, nothing is told to the host", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Prng(seed);
    const stranger = new Stranger(bench(seed));
    stranger.dial();
    const good = frames([FrameType.Hello, goodHello()], [FrameType.Message, vote()]).slice();
    if (seed % 3 === 0) {
      stranger.say(Uint8Array.from({ length: 1 + random.below(300) }, () => random.below(256)));
    } else if (seed % 3 === 1) {
      good[random.below(good.length - 1)]! ^= 1 << random.below(8);
      stranger.say(good);
      assert.notEqual(stranger.end, null, `seed ${seed}`);
    } else {
      stranger.say(good.subarray(0, random.below(60)));
      stranger.bench.run(11_000);
      assert.notEqual(stranger.end, null, "a hello that never ends");
    }
    assert.equal(stranger.member.messages.length, 0);
    assert.deepEqual(stranger.member.sessions, []);
    stranger.bench.check();
  }
});

test("behind an accepted hello nonsense ends the link; what stays is that member's good name", () => {
  const { Message: message, ForwardProposal, ForwardRead, Digest, SnapshotOffer } = FrameType;
  for (const type of [message, ForwardProposal, ForwardRead, Digest, SnapshotOffer]) {
    const stranger = new Stranger(bench(3));
    stranger.dial();
    stranger.say(frames([FrameType.Hello, goodHello()]));
    assert.deepEqual(stranger.member.sessions, [`${raftIdOf(1)}:9:1:0`]);
    const writer = new FrameWriter(1, 64);
    writer.begin(type);
    writer.body.bytes(Uint8Array.of(255, 255, 255));
    writer.end();
    stranger.say(writer.take());
    assert.notEqual(stranger.end, null, `type ${type}`);
    assert.equal(stranger.member.peers.counters().linksFailed, 1);
  }
});

test("a hello above 4 KiB ends the link at its header", () => {
  const stranger = new Stranger(bench(4));
  stranger.dial();
  stranger.say(frames([FrameType.Hello, new Uint8Array(4097)]).subarray(0, 30));
  assert.notEqual(stranger.end, null);
});

test("strangers that say nothing are bounded, the newest are served, the oldest make room", () => {
  const made = bench(5);
  const strangers = Array.from({ length: handshakesMax + 50 }, () => new Stranger(made));
  for (const stranger of strangers) stranger.dial();
  made.run(100);
  const open = strangers.filter((stranger) => stranger.end === null);
  assert.equal(open.length, handshakesMax);
  assert.equal(open[0], strangers[50]);
  assert.equal(made.members[0]!.peers.counters().handshakesEvicted, 50);
  open.at(-1)!.say(frames([FrameType.Hello, goodHello()]));
  assert.equal(made.members[0]!.sessions.length, 1);
});
