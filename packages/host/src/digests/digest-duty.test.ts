// What comes of digests that differ: the odd one gives its state up once, an undecided difference waits
// for 30 s, CORRUPT is raised by the leader until it is active, and what is gone is not judged any more.
// Method: a state of one number, points of others told by hand, time by ticks of 10 ms.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { Alarm, AlarmCause, AlarmType } from "@quorate/kv";
import { ConfState } from "@quorate/raft";
import type { DigestPoint } from "../peers/peers-api.ts";
import { DigestDuty } from "./digest-duty.ts";
import { Digests } from "./digests.ts";

const tickMs = 10;
const idleTicks = 500;

class Bench {
  state = 1;
  applied = 5;
  whole = true;
  leads = false;
  conf: ConfState = new ConfState([1, 2, 3], [], [], [], false);
  readonly table: { alarms: Alarm[] } = { alarms: [] };
  readonly lost: string[] = [];
  readonly raised: string[] = [];
  readonly journal: number[] = [];
  readonly told: DigestPoint[] = [];
  readonly digests: Digests;
  readonly duty: DigestDuty;

  constructor() {
    const silent = (): void => undefined;
    const digest = (): { low: number; high: number } => ({ low: this.state, high: 0 });
    this.digests = new Digests({ liveDigest: digest, applyDigest: digest }, 1, idleTicks);
    const conf = (): ConfState => this.conf;
    this.duty = new DigestDuty({
      digests: this.digests,
      membership: {
        get confState() {
          return conf();
        },
        byRaftId: () => null,
      },
      peers: { broadcastDigest: (point) => void this.told.push(point) },
      raft: { isLeader: () => this.leads },
      kv: this.table,
      keeper: { raise: (_cause, _memberId, text) => void this.raised.push(text) },
      trace: { debug: silent, info: silent, warn: silent, error: silent, mark: silent },
      memberId: "a1",
      tickMs,
      isWhole: () => this.whole,
      applied: () => this.applied,
      onDiffers: (_other, index) => void this.journal.push(index),
      loseState: (reason) => {
        this.lost.push(reason);
        this.whole = false;
        this.duty.stateGone();
      },
    });
  }

  run(ms: number): void {
    for (let left = ms / tickMs; left > 0; left--) this.duty.tick(1);
  }

  hear(from: number, state: number, index: number = this.applied): void {
    const point = { index, liveLow: state, liveHigh: 0, applyLow: state, applyHigh: 0 };
    this.duty.told(from, point);
  }
}

test("the odd one gives its state up, says where and what, and tells no points without one", () => {
  const bench = new Bench();
  bench.run(5_010);
  equal(bench.told.length, 1, "an idle member tells where it stands");
  bench.hear(2, 9);
  deepEqual(bench.lost, [], "one against one");
  bench.hear(3, 9);
  equal(bench.lost.length, 1);
  match(bench.lost[0]!, /^live digest differs at applied index 5: 0{15}1, and 0{15}9 of /);
  bench.hear(3, 9);
  bench.run(20_000);
  equal(bench.lost.length, 1);
  equal(bench.told.length, 1);
  equal(bench.journal.includes(5), true);
});

test("points of a state that is gone are not judged; those of the new one are", () => {
  const bench = new Bench();
  bench.run(5_010);
  bench.hear(2, 9);
  bench.duty.stateGone();
  bench.hear(3, 9);
  deepEqual(bench.lost, [], "its own point is gone");
  bench.state = 9;
  bench.run(5_010);
  deepEqual(bench.lost, [], "the new state is that of the others");
  bench.state = 1;
  bench.applied = 6;
  bench.run(5_010);
  bench.hear(2, 9);
  bench.hear(3, 9);
  equal(bench.lost.length, 1, "and judged like any other");
});

test("points at other indexes are not compared", () => {
  const bench = new Bench();
  bench.run(5_010);
  bench.hear(2, 9, 4);
  bench.hear(3, 9, 4);
  bench.hear(2, 8, 6);
  bench.hear(3, 8, 6);
  bench.run(60_000);
  deepEqual([bench.lost, bench.raised], [[], []]);
});

test("two that differ wait 30 s for the third; agreement further on ends that", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.run(5_010);
  bench.hear(2, 9);
  bench.run(29_000);
  deepEqual(bench.raised, []);
  bench.applied = 6;
  bench.run(5_010);
  equal(bench.raised.length > 0, true, "nobody could tell in time");
  bench.hear(2, 1);
  const before = bench.raised.length;
  bench.run(60_000);
  equal(bench.raised.length, before, "they agree again");
});

test("no majority: the leader raises CORRUPT until it is active, others do not", () => {
  const bench = new Bench();
  bench.run(5_010);
  bench.hear(2, 8);
  bench.hear(3, 9);
  bench.run(1_000);
  deepEqual(bench.raised, [], "it does not lead");
  bench.leads = true;
  bench.run(20);
  equal(bench.raised.length, 2, "said again while it is on its way");
  bench.table.alarms.push(new Alarm("a1", AlarmType.Corrupt, AlarmCause.Digests, "", 0));
  bench.run(20);
  bench.table.alarms.pop();
  bench.run(1_000);
  equal(bench.raised.length, 2, "disarmed, it comes back only with a difference found anew");
  deepEqual(bench.lost, []);
});

test("a change of members is judged by the members of now", () => {
  const bench = new Bench();
  bench.run(5_010);
  bench.hear(4, 9);
  bench.hear(5, 9);
  deepEqual(bench.lost, [], "they do not vote");
  bench.conf = new ConfState([1, 4, 5], [], [], [], false);
  bench.hear(5, 9);
  equal(bench.lost.length, 1);
});

test("nobody takes a state from a member that is known to be odd, by its newest decided point", () => {
  const bench = new Bench();
  bench.conf = new ConfState([1, 2, 3, 4, 5], [], [], [], false);
  bench.whole = false;
  for (const id of [3, 4, 5]) bench.hear(id, 9, 5);
  bench.hear(2, 8, 5);
  equal(bench.duty.mayGiveState(2), false);
  equal(bench.duty.mayGiveState(3), true);
  for (const id of [2, 3, 4]) bench.hear(id, 9, 6);
  equal(bench.duty.mayGiveState(2), true, "it has been rebuilt");
});

test("a point at the first entry of a second by the log's stamps; 64 indexes are kept", () => {
  const bench = new Bench();
  const stamp = (index: number, wallMs: number): void => bench.digests.onApplied({ index, wallMs });
  stamp(10, 4_500);
  stamp(11, 4_999);
  stamp(12, 5_000);
  stamp(13, 5_800);
  stamp(14, 8_000);
  deepEqual(
    bench.digests.takeUntold().map(({ index }) => index),
    [12, 14],
  );
  for (let n = 1; n <= 500; n++) stamp(1024 * n, 8_000);
  equal(bench.digests.own(12) !== null, true, "a great load does not push the seconds out");
  equal(bench.digests.own(1024 * 300), null);
  equal(bench.digests.own(1024 * 500) !== null, true);
});
