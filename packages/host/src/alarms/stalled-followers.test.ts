// Followers that get no further: raised after half a minute, for a member and with what was in vain;
// taken back when it has caught up. Method: one look after the other at statuses by hand.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { Alarm, AlarmAction, AlarmCause, AlarmType } from "@quorate/kv";
import type { AlarmCommand } from "@quorate/kv";
import { StallCause } from "@quorate/raft";
import type { RaftStatus, StallStatus } from "@quorate/raft";
import { MemberRecord } from "../members/member-record.ts";
import { AlarmKeeper } from "./alarm-keeper.ts";
import { StalledFollowers, stallText } from "./stalled-followers.ts";

const follower = "00000000000000a2";

class Bench {
  readonly table: { alarms: readonly Alarm[] } = { alarms: [] };
  readonly #sent: string[] = [];
  readonly #followers: StalledFollowers;
  stall: StallStatus | null = null;
  term = 1;
  match = 10;
  committed = 10;

  constructor() {
    const keeper = new AlarmKeeper(this.table, ({ action, memberId, text }: AlarmCommand, sink) => {
      const verb = action === AlarmAction.Activate ? "+" : "-";
      this.#sent.push(`${verb} ${memberId.slice(-2)} ${text}`.trim());
      sink.reply(new Uint8Array(0));
    });
    const status = (): RaftStatus =>
      ({
        id: 1,
        term: this.term,
        committed: this.committed,
        progress: [
          { id: 1, match: this.committed, stall: null },
          { id: 2, match: this.match, stall: this.stall },
          { id: 3, match: 0, stall: this.stall },
        ],
      }) as unknown as RaftStatus;
    this.#followers = new StalledFollowers({
      keeper,
      raft: { status },
      membership: {
        byRaftId: (id) => (id === 2 ? new MemberRecord(follower, 2, "m2", [], []) : null),
      },
      tickMs: 10,
    });
  }

  /** What was asked for. */
  look(): string[] {
    this.#followers.look();
    return this.#sent.splice(0);
  }
}

const stalledFor = (ticks: number): StallStatus => ({
  cause: StallCause.Snapshots,
  ticks,
  count: 3,
  index: 7,
});

test("raised after half a minute, once; ended when it has what was committed at the look before", () => {
  const bench = new Bench();
  bench.stall = stalledFor(2999);
  deepEqual(bench.look(), []);
  bench.stall = stalledFor(3000);
  const raised = "+ a2 it was sent 3 snapshots in vain and has the log only up to 7";
  deepEqual(bench.look(), [raised]);
  const { ReplicationStalled } = AlarmType;
  bench.table.alarms = [new Alarm(follower, ReplicationStalled, AlarmCause.Replication, "", 1)];
  deepEqual(bench.look(), []);
  bench.stall = null;
  bench.committed = 20;
  deepEqual(bench.look(), ["- a2"], "it has 10, committed a look ago");
  bench.match = 19;
  bench.committed = 30;
  deepEqual(bench.look(), []);
  bench.match = 30;
  deepEqual(bench.look(), ["- a2"]);
});

test("a new leader takes nothing back at its first look; an operator's stays", () => {
  const bench = new Bench();
  const { ReplicationStalled } = AlarmType;
  bench.table.alarms = [new Alarm(follower, ReplicationStalled, AlarmCause.Replication, "", 1)];
  deepEqual(bench.look(), []);
  bench.term = 2;
  bench.committed = 50;
  deepEqual(bench.look(), [], "nor does one that has led before");
  bench.table.alarms = [new Alarm(follower, ReplicationStalled, AlarmCause.Operator, "", 1)];
  deepEqual(bench.look(), []);
});

test("what an operator is told", () => {
  const text = (cause: StallCause, index: number): string =>
    stallText({ cause, ticks: 1, count: 5, index });
  deepEqual(
    [text(StallCause.Bytes, 0), text(StallCause.Refusals, 9)],
    [
      "it was sent 5 bytes in vain and has taken none of the log",
      "it refused 5 appends and has the log only up to 9: its log does not join the leader's",
    ],
  );
});
