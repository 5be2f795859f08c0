// A snapshot from one member to another: whole or not at all, over losses, broken links and restarts;
// never in the way of heartbeats, never faster than allowed.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfState, Message, MessageType, SnapshotMeta } from "@quorate/raft";
import { EndKind } from "@quorate/sim";
import {
  decodeSnapshotAck,
  decodeSnapshotChunk,
  decodeSnapshotEnd,
  decodeSnapshotOffer,
  encodeSnapshotOffer,
} from "./snapshot-frames.ts";
import { PeersBench, raftIdOf } from "./test/peers-bench.ts";
import type { Member, MemberOptions } from "./test/peers-bench.ts";
import { MemorySink, MemorySource } from "./test/snapshot-files.ts";

const megabyte = 1_048_576;

function installSnapshot(from: Member, to: Member, term = 1): Message {
  const message = new Message(
    MessageType.InstallSnapshot,
    from.options.raftId,
    to.options.raftId,
    term,
  );
  message.session = from.options.session;
  message.toSession = to.options.session;
  const conf = new ConfState([raftIdOf(0), raftIdOf(1)], [], [], [], false);
  message.snapshot = new SnapshotMeta(100, 3, conf, 42);
  return message;
}

class Transfer {
  readonly bench: PeersBench;
  readonly source: MemorySource;
  readonly sinks: MemorySink[] = [];
  readonly outcomes: boolean[] = [];

  constructor(bench: PeersBench, source: MemorySource, writeUs = 500) {
    this.bench = bench;
    this.source = source;
    this.receiver.sinkFor = (files): MemorySink => {
      const sink = new MemorySink(bench.world, files, writeUs);
      this.sinks.push(sink);
      return sink;
    };
  }

  get sender(): Member {
    return this.bench.members[0]!;
  }

  get receiver(): Member {
    return this.bench.members[1]!;
  }

  send(term = 1): void {
    const message = installSnapshot(this.sender, this.receiver, term);
    this.sender.act(() =>
      this.sender.peers.sendSnapshot(message, this.source, (ok) => this.outcomes.push(ok)),
    );
  }

  over(ms: number): boolean {
    return this.bench.until(() => this.outcomes.length > 0, ms);
  }

  checkWhole(): void {
    assert.deepEqual(this.outcomes, [true]);
    assert.equal(this.source.released, 1);
    assert.equal(this.receiver.staged.length, 1);
    const { sink, message } = this.receiver.staged[0]!;
    assert.equal(message.type, MessageType.InstallSnapshot);
    assert.equal(message.snapshot?.checkpointId, 42);
    for (const [i, bytes] of (sink as MemorySink).content.entries()) {
      assert.equal(Buffer.compare(bytes, this.source.content[i]!), 0, `file ${i}`);
    }
  }
}

function connected(seed: number, options: Partial<MemberOptions> = {}): PeersBench {
  const bench = new PeersBench(seed, 2);
  bench.bootAll(options);
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  return bench;
}

test("all files arrive byte for byte, empty ones and odd lengths among them", () => {
  for (const lengths of [[0], [1], [0, 5, 0, 300_001, 0], [megabyte, 262_144, 262_145], []]) {
    const transfer = new Transfer(connected(1), new MemorySource(3, lengths));
    transfer.send();
    assert.ok(transfer.over(3000), lengths.join(" "));
    transfer.checkWhole();
  }
});

test("the rate holds, and heartbeats go on as if nothing were sent", () => {
  const bytesPerSecond = 2 * megabyte;
  const bench = connected(2, { snapshotBytesPerSecond: bytesPerSecond });
  const transfer = new Transfer(bench, new MemorySource(3, [6 * megabyte]));
  let beats = 0;
  bench.members[1]!.onMessageHook = (m): void => {
    if (m.type === MessageType.Heartbeat) beats++;
  };
  transfer.send();
  const started = bench.world.nowMs;
  for (let i = 0; i < 40; i++) {
    const { sender, receiver } = transfer;
    sender.act(() => {
      const beat = new Message(MessageType.Heartbeat, raftIdOf(0), raftIdOf(1), 1);
      beat.session = sender.options.session;
      beat.toSession = receiver.options.session;
      sender.peers.send(beat);
      sender.peers.flush();
    });
    const seen = beats;
    assert.ok(
      bench.until(() => beats > seen, 5),
      "a heartbeat waited for the snapshot",
    );
    bench.run(50);
  }
  assert.ok(transfer.over(10_000));
  const tookMs = bench.world.nowMs - started;
  assert.ok(tookMs > 2700 && tookMs < 3500, `${tookMs} ms for 6 MiB at 2 MiB/s`);
  transfer.checkWhole();
});

test("a slow disk is waited for, with no more in flight than the window", () => {
  const bench = connected(3);
  const transfer = new Transfer(bench, new MemorySource(3, [20 * megabyte]), 100_000);
  transfer.send();
  bench.run(3000);
  const written = transfer.sinks[0]!.bytesWritten;
  const sent = transfer.sender.statusOf(1).bytesSent;
  assert.ok(sent < written + 5 * megabyte, `${sent} sent, ${written} written`);
  assert.ok(transfer.over(10_000));
  transfer.checkWhole();
});

test("over a network that loses and doubles sends it arrives whole", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const bench = connected(seed);
    Object.assign(bench.network.options, { lossChance: 0.1, duplicateChance: 0.1 });
    Object.assign(bench.network.options, { duplicateDelayMaxUs: 50_000 });
    const transfer = new Transfer(bench, new MemorySource(seed, [3 * megabyte, 10, megabyte]));
    transfer.send();
    assert.ok(transfer.over(60_000), `seed ${seed}`);
    transfer.checkWhole();
  }
});

test("a broken link goes on where the receiver is", () => {
  const bench = connected(4, { snapshotBytesPerSecond: 4 * megabyte });
  const transfer = new Transfer(bench, new MemorySource(4, [8 * megabyte]));
  transfer.send();
  for (let i = 0; i < 4; i++) {
    bench.run(400);
    bench.network.closeLinks("m0", "m1");
  }
  assert.ok(transfer.over(20_000));
  transfer.checkWhole();
  assert.equal(transfer.sinks.length, 1, "one staging, never begun anew");
  assert.equal(transfer.sinks[0]!.bytesWritten, 8 * megabyte);
  const { bytesSent } = transfer.sender.statusOf(1);
  assert.ok(bytesSent < 12 * megabyte, `${bytesSent} bytes sent for 8 MiB`);
});

test("one lost chunk costs a round trip, not a time-out", () => {
  const bench = connected(14, { snapshotBytesPerSecond: 4 * megabyte });
  const transfer = new Transfer(bench, new MemorySource(4, [8 * megabyte]));
  transfer.send();
  const startedMs = bench.world.nowMs;
  bench.run(500);
  // A chunk leaves every 62 ms.
  const sentBefore = transfer.sender.statusOf(1).bytesSent;
  bench.network.options.lossChance = 1;
  bench.until(() => transfer.sender.statusOf(1).bytesSent > sentBefore + 200_000, 100);
  bench.network.options.lossChance = 0;
  assert.ok(transfer.over(10_000));
  transfer.checkWhole();
  const tookMs = bench.world.nowMs - startedMs;
  assert.ok(tookMs < 2300, `${tookMs} ms for 8 MiB at 4 MiB/s`);
});

test("when the receiver's last word is lost it is asked again, and nothing is staged twice", () => {
  const bench = connected(15);
  const transfer = new Transfer(bench, new MemorySource(4, [100_000]), 200_000);
  transfer.send();
  assert.ok(bench.until(() => transfer.sinks[0]?.finished === true, 2000));
  bench.network.options.lossChance = 1;
  bench.run(250);
  bench.network.options.lossChance = 0;
  assert.deepEqual(transfer.outcomes, []);
  assert.ok(transfer.over(2000));
  bench.run(500);
  transfer.checkWhole();
  assert.equal(transfer.sinks.length, 1);
});

test("a receiver that restarts ends the transfer; so does a sender, and the receiver lets go", () => {
  const bench = connected(5, { snapshotBytesPerSecond: megabyte });
  const transfer = new Transfer(bench, new MemorySource(5, [8 * megabyte]));
  transfer.send();
  bench.run(1000);
  bench.kill(1);
  bench.boot(1, { bootCount: 2 });
  assert.ok(transfer.over(10_000));
  assert.deepEqual(transfer.outcomes, [false]);
  assert.equal(transfer.source.released, 1);

  const other = connected(6, { snapshotBytesPerSecond: megabyte });
  const second = new Transfer(other, new MemorySource(5, [8 * megabyte]));
  second.send();
  other.run(1000);
  other.kill(0, EndKind.PowerLost);
  other.boot(0, { bootCount: 2 });
  assert.ok(other.until(() => second.sinks[0]!.abandoned, 10_000));
  assert.equal(second.receiver.staged.length, 0);
});

test("files that an earlier transfer has brought are not sent again, whichever they are", () => {
  const sizes = [1, 2, 1, 3, 1].map((megabytes) => megabytes * megabyte);
  for (const held of [[0], [1, 3], [4], [0, 1, 2], [0, 1, 2, 3, 4], []]) {
    for (const loss of [0, 0.05]) {
      const bench = connected(15, { snapshotBytesPerSecond: 16 * megabyte });
      bench.network.options.lossChance = loss;
      const source = new MemorySource(5, sizes);
      const transfer = new Transfer(bench, source);
      const whole = new Map(held.map((file) => [file, source.content[file]!]));
      transfer.receiver.sinkFor = (files): MemorySink => {
        transfer.sinks.push(new MemorySink(bench.world, files, 500, whole));
        return transfer.sinks.at(-1)!;
      };
      transfer.send();
      assert.ok(transfer.over(60_000), `held ${held.join()}`);
      bench.run(500);
      transfer.checkWhole();
      const rest = sizes.filter((_, file) => !held.includes(file));
      const written = rest.reduce((sum, bytes) => sum + bytes, 0);
      assert.equal(transfer.sinks[0]!.bytesWritten, written);
      // Of a file that the receiver has, no more than a window left before its answer came.
      const mostReads = Math.ceil(written / 262_144) + held.length * 16;
      if (loss === 0) assert.ok(source.reads <= mostReads, `${source.reads} of ${mostReads}`);
    }
  }
});

test("a newer term on either side ends the transfer", () => {
  for (const side of [0, 1]) {
    const bench = connected(7, { snapshotBytesPerSecond: megabyte });
    const transfer = new Transfer(bench, new MemorySource(5, [8 * megabyte]));
    transfer.send();
    bench.run(500);
    const member = bench.members[side]!;
    member.facts = { ...member.facts, term: 2 };
    assert.ok(transfer.over(500));
    assert.deepEqual(transfer.outcomes, [false]);
    assert.ok(bench.until(() => transfer.sinks[0]!.abandoned, 500));
    assert.equal(transfer.source.released, 1);
  }
});

test("a receiver that takes none says so; one that is gone for long ends it too", () => {
  const bench = connected(8);
  const refusing = new Transfer(bench, new MemorySource(5, [megabyte]));
  refusing.receiver.sinkFor = null;
  refusing.send();
  assert.ok(refusing.over(1000));
  assert.deepEqual(refusing.outcomes, [false]);

  const cut = connected(9, { snapshotBytesPerSecond: megabyte });
  const transfer = new Transfer(cut, new MemorySource(5, [8 * megabyte]));
  transfer.send();
  cut.run(1000);
  cut.network.cut("m0", "m1");
  assert.ok(transfer.over(40_000));
  assert.deepEqual(transfer.outcomes, [false]);
  assert.ok(cut.until(() => transfer.sinks[0]!.abandoned, 10_000));
});

test("one transfer to a peer at a time, and none without a session; sources are released", () => {
  const bench = connected(10, { snapshotBytesPerSecond: megabyte });
  const transfer = new Transfer(bench, new MemorySource(5, [4 * megabyte]));
  transfer.send();
  bench.run(100);
  const second = new MemorySource(6, [10]);
  const outcomes: boolean[] = [];
  const { sender, receiver } = transfer;
  sender.act(() =>
    sender.peers.sendSnapshot(installSnapshot(sender, receiver), second, (ok) => outcomes.push(ok)),
  );
  const unknown = installSnapshot(sender, receiver);
  unknown.to = 999;
  const third = new MemorySource(6, [10]);
  sender.act(() => sender.peers.sendSnapshot(unknown, third, (ok) => outcomes.push(ok)));
  assert.deepEqual(outcomes, [], "never within the call");
  bench.run(50);
  assert.deepEqual(outcomes, [false, false]);
  assert.deepEqual([second.released, third.released], [1, 1]);
  assert.ok(transfer.over(10_000));
  transfer.checkWhole();
});

test("bytes that do not match what was offered are not staged", () => {
  const bench = connected(11);
  const source = new MemorySource(5, [megabyte]);
  const transfer = new Transfer(bench, source);
  source.content[0]![5000]! ^= 1;
  transfer.send();
  assert.ok(transfer.over(5000));
  assert.deepEqual(transfer.outcomes, [false]);
  assert.equal(transfer.receiver.staged.length, 0);
});

test("a leader of a newer term is served instead of the old one, another one has to wait", () => {
  const bench = new PeersBench(12, 3);
  bench.bootAll({ snapshotBytesPerSecond: megabyte });
  assert.ok(bench.until(() => bench.allConnected(), 3000));
  const [a, b, c] = bench.members as [Member, Member, Member];
  const sinks: MemorySink[] = [];
  b.sinkFor = (files): MemorySink => {
    sinks.push(new MemorySink(bench.world, files, 500));
    return sinks.at(-1)!;
  };
  const outcomes: string[] = [];
  const send = (from: Member, term: number, name: string): void => {
    from.facts = { ...from.facts, term };
    from.act(() =>
      from.peers.sendSnapshot(
        installSnapshot(from, b, term),
        new MemorySource(1, [4 * megabyte]),
        (ok) => outcomes.push(`${name} ${ok}`),
      ),
    );
  };
  send(a, 1, "a");
  bench.run(500);
  send(c, 1, "c of the same term");
  bench.run(500);
  assert.deepEqual(outcomes, ["c of the same term false"]);
  send(c, 2, "c of a newer term");
  assert.ok(bench.until(() => b.staged.length === 1, 10_000));
  bench.run(500);
  assert.deepEqual(outcomes.slice(1).sort(), ["a false", "c of a newer term true"]);
  assert.equal(b.staged[0]!.message.from, raftIdOf(2));
  assert.ok(sinks[0]!.abandoned);
});

test("bodies that are nonsense decode to null, never throw", () => {
  const bench = connected(13);
  const [a, b] = bench.members as [Member, Member];
  const files = new MemorySource(1, [5, 6]).files;
  const offer = { transfer: 1, message: installSnapshot(a, b), files };
  const bytes = encodeSnapshotOffer(offer);
  assert.deepEqual(decodeSnapshotOffer(bytes)?.files, files);
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.equal(decodeSnapshotOffer(bytes.subarray(0, cut)), null);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (any) => {
      for (const decode of [
        decodeSnapshotOffer,
        decodeSnapshotAck,
        decodeSnapshotChunk,
        decodeSnapshotEnd,
      ]) {
        decode(any);
      }
    }),
    { numRuns: 2000 },
  );
});
