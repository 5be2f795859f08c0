// Handing leadership over: to whom, and when it is given up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Role, TransferOutcome } from "@quorate/raft";
import type { RaftApi } from "@quorate/raft";
import { TransferResult } from "./host-api.ts";
import { Leadership } from "./leadership.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { PeersApi } from "./peers/peers-api.ts";

const electionTimeoutTicks = 100;

interface Bench {
  readonly leadership: Leadership;
  readonly connected: Set<number>;
  leader: number;
}

/** Raft id 1 leads 2 and 3; 3 has more of the log. */
function bench(silentTicks: number = 0): Bench {
  const connected = new Set([2, 3]);
  const raft = {
    isLeader: () => made.leader === 1,
    leader: () => made.leader,
    transferLeadership: () => TransferOutcome.Started,
    status: () => ({
      id: 1,
      role: made.leader === 1 ? Role.Leader : Role.Follower,
      confState: { voters: [1, 2, 3] },
      progress: [
        { id: 1, match: 9, silentTicks: 0 },
        { id: 2, match: 7, silentTicks: 0 },
        { id: 3, match: 9, silentTicks },
      ],
    }),
  } as unknown as RaftApi;
  const record = (raftId: number) => ({ raftId, memberId: String(raftId), name: `m${raftId}` });
  const membership = {
    byRaftId: record,
    byMemberId: (memberId: string) => record(Number(memberId)),
  } as unknown as MembershipTable;
  const status = (raftId: number) => ({ raftId, connected: connected.has(raftId) });
  const peers = { status: () => [status(2), status(3)] } as unknown as PeersApi;
  const leadership = new Leadership(raft, membership, peers, electionTimeoutTicks);
  const made: Bench = { leadership, connected, leader: 1 };
  return made;
}

test("the heir is the connected, live voter that lacks least; nobody when there is none", () => {
  assert.equal(bench().leadership.heir()?.raftId, 3);
  assert.equal(bench(electionTimeoutTicks).leadership.heir()?.raftId, 2, "3 is silent");
  const { leadership, connected } = bench();
  connected.delete(3);
  assert.equal(leadership.heir()?.raftId, 2, "3 is not connected");
  connected.clear();
  assert.equal(leadership.heir(), null);
  const follower = bench();
  follower.leader = 2;
  assert.equal(follower.leadership.heir(), null, "only a leader has an heir");
});

function transfer(made: Bench): TransferResult[] {
  const results: TransferResult[] = [];
  assert.equal(
    made.leadership.start("3", 0, (result) => results.push(result)),
    null,
  );
  return results;
}

test("done when the target leads", () => {
  const made = bench();
  const results = transfer(made);
  made.leadership.tick(1);
  assert.deepEqual(results, []);
  made.leader = 3;
  made.leadership.tick(2);
  assert.deepEqual(results, [TransferResult.Done]);
});

test("given up soon when the target goes away, not for a moment's absence, else at the deadline", () => {
  const gone = bench();
  const results = transfer(gone);
  gone.connected.delete(3);
  for (let tick = 1; tick < 10; tick += 1) gone.leadership.tick(tick);
  assert.deepEqual(results, []);
  gone.leadership.tick(10);
  assert.deepEqual(results, [TransferResult.TimedOut]);

  const blinking = bench();
  const late = transfer(blinking);
  for (let tick = 1; tick < 2 * electionTimeoutTicks; tick += 1) {
    if (tick % 5 === 0) blinking.connected.delete(3);
    else blinking.connected.add(3);
    blinking.leadership.tick(tick);
  }
  assert.deepEqual(late, []);
  blinking.leadership.tick(2 * electionTimeoutTicks);
  assert.deepEqual(late, [TransferResult.TimedOut]);
});
