// Three members: MoveLeader, reads and writes at followers, and what is left without a quorum.
import { deepEqual, equal } from "node:assert/strict";
import { etcd } from "@quorate/proto";
import { eventually } from "../../processes/eventually.ts";
import type { Case } from "../suite/case.ts";
import { bytes, text } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";

const { range, put } = etcd.KV.method;
const { moveLeader, status } = etcd.Maintenance.method;

/** Which member leads, by what it says of itself. */
async function leaderOf(trial: Trial): Promise<{ readonly at: number; readonly ids: bigint[] }> {
  return eventually("a leader", async () => {
    const ids: bigint[] = [];
    let leader = 0n;
    for (const [at] of trial.members.entries()) {
      const answer = await trial.ok(status, {}, { at });
      ids.push(answer.header!.memberId);
      leader = answer.leader;
    }
    const at = ids.indexOf(leader);
    return at < 0 ? null : { at, ids };
  });
}

export const moveLeaderCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "MoveLeader hands over; its header is not there (E-H1)",
    run: async (trial) => {
      const { at, ids } = await leaderOf(trial);
      const targetID = ids[(at + 1) % 3]!;
      const answer = await trial.ok(moveLeader, { targetID }, { at });
      equal(answer.header, undefined);
      await eventually(
        "the target leads",
        async () => (await trial.ok(status, {})).leader === targetID,
      );
      await eventually(
        "it serves",
        async () => (await trial.wire.unary(put, { key: trial.key("a") })).message,
      );
    },
  },
  {
    rule: "E-ERR",
    name: "MoveLeader asked at a follower, or to a member that is not there",
    run: async (trial) => {
      const { at, ids } = await leaderOf(trial);
      const follower = (at + 1) % 3;
      const targetID = ids[(at + 2) % 3]!;
      await trial.refused("notLeader", moveLeader, { targetID }, { at: follower });
      await trial.refused("badTransferee", moveLeader, { targetID: 0x1234n }, { at });
      await trial.refused("badTransferee", moveLeader, {}, { at });
      equal((await leaderOf(trial)).at, at);
    },
  },
];

export const quorumCases: readonly Case[] = [
  {
    rule: "E-R5",
    name: "what one member has acknowledged, a linearizable read at every member sees",
    run: async (trial) => {
      for (let round = 0; round < 10; round += 1) {
        const value = bytes(`${round}`);
        await trial.ok(put, { key: trial.key("a"), value }, { at: round % 3 });
        for (const at of [0, 1, 2]) {
          const { kvs } = await trial.ok(range, { key: trial.key("a") }, { at });
          equal(text(kvs[0]!.value), `${round}`);
        }
      }
    },
  },
  {
    rule: "E-R5",
    name: "without a quorum a serializable read is served, whatever needs the quorum is not",
    own: { members: 3 },
    run: async (trial) => {
      await trial.put("a", "1");
      const { at } = await leaderOf(trial);
      for (const other of [0, 1, 2]) {
        if (other !== at) await trial.servers.kill(other);
      }
      // Still the leader in its own eyes: what it takes now is never known to be committed.
      const key = trial.key("a");
      await trial.refused("timedOut", put, { key, value: bytes("2") }, { at });
      const read = await trial.ok(range, { key, serializable: true }, { at });
      equal(text(read.kvs[0]!.value), "1");
      await eventually("it knows that nobody leads", async () => {
        const answer = await trial.ok(status, {}, { at });
        return answer.leader === 0n ? answer : null;
      }).then((answer) => deepEqual(answer.errors, ["etcdserver: no leader"]));
      const metadata = { hasleader: "true" };
      await trial.refused("noLeader", range, { key }, { at, metadata });
      await trial.refused("noLeader", put, { key }, { at, metadata });
      const [write, linearizable] = trial.differs("X-no-leader", {
        etcd: ["deadlineExceeded", "timedOut"],
        quorate: ["noLeader", "noLeader"],
      } as const);
      const [reading, writing] = [
        trial.members[at]!.unary(range, { key }),
        trial.members[at]!.unary(put, { key }),
      ];
      trial.isError(write, (await writing).end);
      trial.isError(linearizable, (await reading).end);
    },
  },
];
