// A connection that comes again does nothing, even to a process that has never seen it: what is not
// idempotent names the process that it was said to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import { PutRequest } from "@quorate/kv";
import { History } from "../src/client/history.ts";
import { SimCluster } from "../src/cluster.ts";
import { ForeignLink, openForeignMachine } from "../src/nemesis/foreign-link.ts";
import { Wiretap } from "../src/network/wiretap.ts";
import type { SimMember } from "../src/sim-member.ts";
import { planned } from "../src/workloads/workload.ts";
import { World } from "../src/world.ts";

class Bench {
  readonly world: World;
  readonly cluster: SimCluster;
  readonly tap: Wiretap;

  constructor(seed: number) {
    this.world = new World(seed);
    this.cluster = new SimCluster(this.world, { members: 3, host: {} });
    this.tap = new Wiretap();
    this.cluster.network.tap = this.tap;
    openForeignMachine(this.cluster);
    this.cluster.startAll();
    this.settle();
    // Members tell their addresses by writes of their own.
    this.world.runFor(3_000);
  }

  settle(): SimMember {
    const { cluster } = this;
    const names = cluster.memberNames;
    assert.ok(this.world.runUntil(() => cluster.settledLeader(names) !== null, 30_000));
    return cluster.settledLeader(names)!;
  }

  put(member: string, key: string): void {
    let answered = false;
    const request = new PutRequest({ key: latin1Encode(key), value: latin1Encode("v") });
    const operation = new History().call(0, member, planned(request));
    this.cluster.request(member, operation, {
      reply: () => void (answered = true),
      fail: (failure) => assert.fail(`not written: ${failure.code}`),
    });
    assert.ok(this.world.runUntil(() => answered, 5_000));
  }

  handLeadershipTo(target: SimMember): void {
    const leader = this.settle();
    if (leader === target) return;
    leader.incarnation!.run(() =>
      leader.host!.transferLeadership(target.config.memberId, () => {}),
    );
    assert.ok(this.world.runUntil(() => this.cluster.leader() === target, 10_000));
    this.settle();
  }

  /** Everything that `from` ever said to that process, again. */
  replay(from: string, receiver: string): number {
    let replayed = 0;
    for (const recording of this.tap.since(0)) {
      if (recording.from.name !== from || recording.receiver !== receiver) continue;
      const { first, later, address } = recording;
      // Its session is on record: the hello is accepted at once, and what follows is heard.
      const opened = (link: ForeignLink): void => {
        for (const { bytes } of [first, ...later]) link.say(bytes);
      };
      replayed += later.length;
      new ForeignLink(this.cluster, address, opened, () => {});
      this.world.runFor(500);
    }
    return replayed;
  }
}

test("a write forwarded to a leader is not appended again by that member's next process", () => {
  const bench = new Bench(1);
  const leader = bench.cluster.member("m0");
  bench.handLeadershipTo(leader);
  const before = leader.incarnation!.name;
  bench.put("m1", "k");
  const { revision } = leader.host!.status();
  bench.cluster.kill("m0");
  bench.cluster.start("m0");
  bench.handLeadershipTo(leader);
  assert.notEqual(leader.incarnation!.name, before);
  assert.ok(bench.replay("m1", before) > 10);
  bench.world.runFor(1_000);
  assert.equal(leader.host!.status().revision, revision);
});
