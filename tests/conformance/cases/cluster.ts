// The Cluster service: the list, ids, and every change with every refusal.
import { createHash } from "node:crypto";
import { deepEqual, equal, ok } from "node:assert/strict";
import { etcd } from "@quorate/proto";
import { eventually } from "../../processes/eventually.ts";
import type { Case } from "../suite/case.ts";
import { errors } from "../suite/errors.ts";
import type { Trial } from "../suite/trial.ts";
import { WireClient } from "../wire/wire-client.ts";

const { memberAdd, memberList, memberPromote, memberRemove, memberUpdate } = etcd.Cluster.method;
const { range, put } = etcd.KV.method;
const { status } = etcd.Maintenance.method;
/** Nobody listens there. Ids are made of URL and second: a case that adds twice needs other ports. */
const nowhere = (port: number): string => `http://127.0.0.1:${port}`;

/** Refused until all members have been connected for five seconds; the answer when it is not. */
async function added(
  trial: Trial,
  peerURL: string,
  isLearner: boolean,
): Promise<etcd.MemberAddResponse> {
  return eventually("a member is added", async () => {
    const { end, message } = await trial.wire.unary(memberAdd, { peerURLs: [peerURL], isLearner });
    if (end.text !== errors.unhealthy.text) equal(end.text, "");
    return message;
  });
}

async function withLearner(trial: Trial, use: (id: bigint) => Promise<void>): Promise<void> {
  const { member } = await added(trial, nowhere(10), true);
  try {
    await use(member!.ID);
  } finally {
    await trial.ok(memberRemove, { ID: member!.ID });
  }
}

function sha1Id(...parts: readonly (string | Uint8Array)[]): bigint {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest().readBigUInt64BE();
}

export const clusterCases: readonly Case[] = [
  {
    rule: "E-H1",
    name: "member list: a header without a revision, the same list at every member",
    run: async (trial) => {
      const lists = [];
      for (const [at] of trial.members.entries()) {
        lists.push(await trial.ok(memberList, {}, { at }));
      }
      for (const { header, members } of lists) {
        equal(header!.revision, 0n);
        deepEqual(members, lists[0]!.members);
      }
      const [{ members }] = lists as [etcd.MemberListResponse];
      deepEqual(
        members.map(({ name, isLearner, peerURLs, clientURLs }) => [
          name,
          isLearner,
          peerURLs.length,
          clientURLs.length,
        ]),
        [...members].map(({ name }) => [name, false, 1, 1]),
      );
      const urls = members.flatMap(({ clientURLs }) => clientURLs).sort();
      deepEqual(urls, trial.servers.addresses.map((address) => `http://${address}`).sort());
      const ids = members.map(({ ID }) => ID);
      deepEqual(
        ids,
        [...ids].sort((a, b) => (a < b ? -1 : 1)),
      );
    },
  },
  {
    rule: "E-H2",
    name: "each member names itself, all name one cluster and one term",
    run: async (trial) => {
      const headers = [];
      for (const [at] of trial.members.entries()) {
        const { header } = await trial.ok(range, { key: trial.key("a") }, { at });
        headers.push(header!);
      }
      equal(new Set(headers.map(({ memberId }) => memberId)).size, 3);
      equal(new Set(headers.map(({ clusterId }) => clusterId)).size, 1);
      equal(new Set(headers.map(({ raftTerm }) => raftTerm)).size, 1);
      const { members } = await trial.ok(memberList, {});
      for (const { memberId } of headers) ok(members.some(({ ID }) => ID === memberId));
    },
  },
  {
    rule: "E-M3",
    name: "member ids are SHA-1 of URL and token, the cluster's is SHA-1 of theirs",
    run: async (trial) => {
      const { header, members } = await trial.ok(memberList, {});
      for (const { ID, peerURLs } of members) {
        equal(ID, sha1Id(peerURLs.toSorted().join(""), trial.servers.token));
      }
      const ids = members.map(({ ID }) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64BE(ID);
        return bytes;
      });
      equal(header!.clusterId, sha1Id(...ids));
    },
  },
  {
    rule: "E-RPC",
    name: "MemberList with linearizable, asked at a follower, shows what was just written",
    since: "3.5",
    run: async (trial) => {
      const { members } = await trial.ok(memberList, { linearizable: true }, { at: 1 });
      equal(members.length, 3);
    },
  },
  {
    rule: "E-RPC",
    name: "MemberAdd of a learner, MemberUpdate of its URL, MemberRemove; asked at any member",
    run: async (trial) => {
      const addition = await added(trial, nowhere(1), true);
      const { ID, name, isLearner, peerURLs, clientURLs } = addition.member!;
      deepEqual([name, isLearner, peerURLs, clientURLs], ["", true, [nowhere(1)], []]);
      deepEqual([addition.members.length, addition.header!.revision], [4, 0n]);
      const updated = await trial.ok(memberUpdate, { ID, peerURLs: [nowhere(2)] }, { at: 1 });
      equal(updated.header!.revision, 0n);
      const found = updated.members.find((member) => member.ID === ID);
      deepEqual(found!.peerURLs, [nowhere(2)]);
      const removed = await trial.ok(memberRemove, { ID }, { at: 2 });
      deepEqual([removed.members.length, removed.header!.revision], [3, 0n]);
      await trial.refused("memberNotFound", memberRemove, { ID });
      await trial.refused("memberNotFound", memberUpdate, { ID, peerURLs: [nowhere(3)] });
    },
  },
  {
    rule: "E-M1",
    name: "one learner at most; a URL only once; a learner that never started is not promoted",
    run: (trial) =>
      withLearner(trial, async (ID) => {
        const { members } = await trial.ok(memberList, {});
        const taken = members.find(({ isLearner }) => !isLearner)!.peerURLs;
        await trial.refused("tooManyLearners", memberAdd, {
          peerURLs: [nowhere(11)],
          isLearner: true,
        });
        await trial.refused("peerUrlExists", memberAdd, { peerURLs: taken, isLearner: true });
        await trial.refused("peerUrlExists", memberUpdate, { ID, peerURLs: taken });
        for (const at of [0, 1, 2]) {
          await trial.refused("learnerNotReady", memberPromote, { ID }, { at });
        }
      }),
  },
  {
    rule: "E-ERR",
    name: "promotion of a voter, and every change of a member that is not there",
    run: async (trial) => {
      const { members } = await trial.ok(memberList, {});
      const unknown = { ID: 0x1234n };
      for (const at of [0, 1, 2]) {
        await trial.refused("notALearner", memberPromote, { ID: members[0]!.ID }, { at });
        await trial.refused("memberNotFound", memberPromote, unknown, { at });
      }
      await trial.refused("memberNotFound", memberRemove, unknown);
      await trial.refused("memberNotFound", memberUpdate, { ...unknown, peerURLs: [nowhere(5)] });
    },
  },
  {
    rule: "E-ERR",
    name: "MemberAdd with URLs that are none",
    run: async (trial) => {
      const { members } = await trial.ok(memberList, {});
      const lists = [
        [],
        [""],
        ["nonsense"],
        ["http://127.0.0.1"],
        ["ftp://127.0.0.1:1"],
        ["http://127.0.0.1:1/path"],
        ["http://127.0.0.1:1", "nonsense"],
        ["127.0.0.1:1"],
      ];
      for (const peerURLs of lists) {
        for (const isLearner of [false, true]) {
          await trial.refused("badMemberUrls", memberAdd, { peerURLs, isLearner });
        }
      }
      deepEqual((await trial.ok(memberList, {})).members, members);
    },
  },
  {
    rule: "E-ERR",
    name: "MemberUpdate with URLs that are none",
    only: "quorate",
    run: async (trial) => {
      trial.differs("X-update-urls", { etcd: null, quorate: null });
      const { members } = await trial.ok(memberList, {});
      for (const peerURLs of [[], [""], ["nonsense"], ["http://127.0.0.1"]]) {
        await trial.refused("badMemberUrls", memberUpdate, { ID: members[0]!.ID, peerURLs });
      }
      deepEqual((await trial.ok(memberList, {})).members, members);
    },
  },
  {
    rule: "E-M1",
    name: "a started learner serves Status and serializable reads alone, then is promoted and serves all",
    own: { members: 1 },
    run: async (trial) => {
      await trial.put("a", "1");
      const joiner = await trial.servers.joiner();
      const { member } = await added(trial, joiner.peerUrl, true);
      joiner.start();
      const learner = new WireClient(joiner.address);
      trial.after(() => learner.close());
      const key = trial.key("a");
      await eventually("the learner has the key", async () => {
        const { message } = await learner.unary(range, { key, serializable: true });
        return message?.kvs.length === 1;
      });
      const { message } = await learner.unary(status, {});
      deepEqual([message!.isLearner, message!.header!.memberId], [true, member!.ID]);
      const { KV, Maintenance } = etcd;
      for (const refusal of [
        learner.unary(range, { key }),
        learner.unary(put, { key }),
        learner.unary(KV.method.txn, {}),
        learner.unary(KV.method.deleteRange, { key }),
        learner.unary(KV.method.compact, { revision: 1n }),
        learner.unary(memberList, {}),
        learner.unary(memberPromote, { ID: member!.ID }),
        learner.unary(Maintenance.method.alarm, {}),
        learner.unary(Maintenance.method.hashKV, {}),
      ]) {
        trial.isError("learnerCannot", (await refusal).end);
      }
      await eventually("the learner is promoted", async () => {
        const { end } = await trial.wire.unary(memberPromote, { ID: member!.ID });
        if (end.code !== 0) trial.isError("learnerNotReady", end);
        return end.code === 0;
      });
      const { members } = await trial.ok(memberList, {});
      deepEqual(
        members.map(({ isLearner }) => isLearner),
        [false, false],
      );
      await eventually("the new voter serves", async () => {
        return (await learner.unary(put, { key })).end.code === 0;
      });
    },
  },
  {
    rule: "E-M2",
    name: "with one of three away: no addition, and no removal of one that is there",
    own: { members: 3 },
    run: async (trial) => {
      const { members } = await trial.ok(memberList, {});
      const gone = await trial.ok(status, {}, { at: 2 });
      await trial.servers.kill(2);
      const alive = members.find(({ ID }) => ID !== gone.header!.memberId)!;
      await eventually("the others elect", async () => {
        const { end } = await trial.wire.unary(put, { key: trial.key("a") });
        return end.code === 0;
      });
      await trial.refused("unhealthy", memberAdd, { peerURLs: [nowhere(1)], isLearner: true });
      await trial.refused("unhealthy", memberAdd, { peerURLs: [nowhere(1)], isLearner: false });
      await trial.refused("unhealthy", memberRemove, { ID: alive.ID });
      const left = await trial.ok(memberRemove, { ID: gone.header!.memberId });
      equal(left.members.length, 2);
    },
  },
  {
    rule: "E-M2",
    name: "with one of two not started: no further voter",
    own: { members: 1 },
    run: async (trial) => {
      const first = await added(trial, nowhere(1), false);
      equal(first.member!.isLearner, false);
      await trial.refused("notEnoughStarted", memberAdd, { peerURLs: [nowhere(2)] });
      const writes = trial.differs("X-voter-is-learner", { etcd: false, quorate: true });
      const { end } = await trial.wire.unary(put, { key: trial.key("a") });
      equal(end.code === 0, writes, end.text);
    },
  },
];
