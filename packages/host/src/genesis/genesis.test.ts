// P1 by cases and by random walks: frames lost, doubled, late; members restarted and wiped at any
// moment. A second history needs as many wipes as a majority has members.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GenesisState } from "@quorate/storage";
import { decodeGenesisFrame, GenesisKind } from "./genesis-frames.ts";
import { decodeGenesisRecord, encodeGenesisRecord } from "./genesis-record.ts";
import { GenesisWorld } from "./test/genesis-world.ts";
import type { WorldMember } from "./test/genesis-world.ts";

/** Which geneses had, at some moment, a majority of disks: those could acknowledge writes. */
class Histories {
  readonly #world: GenesisWorld;
  readonly #majority: number;
  readonly started: Set<number> = new Set();
  readonly histories: Set<number> = new Set();

  constructor(world: GenesisWorld) {
    this.#world = world;
    this.#majority = Math.floor(world.members.length / 2) + 1;
  }

  look(): void {
    const counts = new Map<number, number>();
    for (const member of this.#world.members) {
      const record = this.#world.startedOn(member);
      if (record === null) continue;
      const named = record.members.find((m) => m.memberId === member.memberId);
      assert.equal(named?.raftId, member.disk.raftId, "started under another raft id");
      counts.set(record.genesisId, (counts.get(record.genesisId) ?? 0) + 1);
      this.started.add(record.genesisId);
    }
    for (const [genesisId, count] of counts) {
      if (count >= this.#majority) this.histories.add(genesisId);
    }
    if (this.#world.wipes < this.#majority) {
      assert.ok(this.histories.size <= 1, "a second history without a majority of wipes");
    }
  }
}

function bootAll(world: GenesisWorld): void {
  for (const member of world.members) world.boot(member);
}

function pick(world: GenesisWorld): WorldMember {
  return world.random.pick(world.members);
}

/** One random event; weights in per mille. */
function step(world: GenesisWorld, wipesMax: number): void {
  const drawn = world.random.below(1000);
  const member = pick(world);
  if (drawn < 450) {
    const envelope = world.takeFromBag();
    if (envelope === null) return;
    const fate = world.random.below(10);
    if (fate === 0) return;
    if (fate === 1 && world.bag.length < 200) world.bag.push(envelope);
    world.deliver(envelope);
  } else if (drawn < 600) {
    world.tick(member, world.random.below(300));
  } else if (drawn < 780) {
    world.finishWrite(member);
  } else if (drawn < 930) {
    world.meet(member, pick(world));
  } else if (drawn < 980) {
    if (member.process === null) world.boot(member);
  } else if (drawn < 990) {
    world.kill(member);
  } else if (world.wipes < wipesMax) {
    world.wipe(member);
  }
}

function settleAll(world: GenesisWorld, look: () => void): void {
  for (const member of world.members) {
    if (member.process === null) world.boot(member);
  }
  for (let round = 0; round < 40; round++) {
    world.settle(1);
    look();
  }
}

test("all listed members start one genesis that names each by its raft id", () => {
  for (const count of [1, 2, 3, 5]) {
    const world = new GenesisWorld(count, count);
    bootAll(world);
    world.settle(10);
    const records = world.members.map((member) => world.startedOn(member));
    for (const [i, record] of records.entries()) {
      assert.equal(record?.genesisId, records[0]!.genesisId);
      assert.equal(record?.members[i]?.raftId, world.members[i]!.disk.raftId);
      assert.equal(world.members[i]!.process!.started?.genesisId, record?.genesisId);
    }
  }
});

test("a single member starts with its own two writes, waiting for nobody", () => {
  const world = new GenesisWorld(1, 1);
  const process = world.boot(world.members[0]!);
  world.finishWrite(world.members[0]!);
  assert.equal(world.startedOn(world.members[0]!), null);
  world.finishWrite(world.members[0]!);
  assert.equal(process.started?.members.length, 1);
});

test("nothing starts without the last member, and everybody says who is missing", () => {
  const world = new GenesisWorld(7, 3);
  world.boot(world.members[0]!);
  world.boot(world.members[1]!);
  world.settle(20);
  for (const member of world.members) assert.equal(world.startedOn(member), null);
  for (const i of [0, 1]) {
    const waiting = world.members[i]!.process!.waiting!;
    assert.deepEqual(waiting.missing, ["n2"]);
    assert.match(waiting.reason, /n2 \(not connected\)/);
  }
});

test("a member given another list is refused with the difference, on both sides", () => {
  const world = new GenesisWorld(8, 3);
  const odd = world.members[2]!;
  const listed = odd.listed.map((m) =>
    m.name === "n1" ? { ...m, peerUrls: ["http://elsewhere:2380"] } : m,
  );
  Object.assign(odd, { listed });
  bootAll(world);
  world.settle(20);
  for (const member of world.members) assert.equal(world.startedOn(member), null);
  const first = world.members[0]!.process!.waiting!;
  assert.deepEqual(first.missing, ["n2"]);
  assert.match(first.reason, /n1 is http:\/\/m1:2380 for this member, http:\/\/elsewhere:2380/);
  assert.match(odd.process!.waiting!.reason, /n1 is http:\/\/elsewhere:2380 for this member/);
});

test("a member wiped after the start knows it and the genesis, before it starts and after a restart", () => {
  const world = new GenesisWorld(9, 3);
  bootAll(world);
  world.settle(10);
  for (const victim of [world.members[2]!, world.members[0]!]) {
    world.wipe(victim);
    world.boot(victim);
    world.settle(10);
    assert.equal(victim.disk.state, GenesisState.Wiped);
    assert.notEqual(victim.process!.started, null);
    assert.match(victim.process!.wiped!, /wiped or replaced/);
    world.kill(victim);
    assert.match(world.boot(victim).wiped!, /wiped or replaced/);
  }
});

test("a wiped member passes on what it was told", () => {
  const world = new GenesisWorld(10, 3);
  bootAll(world);
  world.settle(10);
  const [a, b, c] = world.members as [WorldMember, WorldMember, WorldMember];
  world.wipe(c);
  world.boot(c);
  world.meet(a, c);
  world.meet(c, a);
  world.tick(a, 2000);
  while (world.bag.length > 0) world.deliver(world.takeFromBag()!);
  world.finishWrite(c);
  assert.equal(c.disk.state, GenesisState.Wiped);
  // Only the wiped member is left to tell the other one.
  world.kill(a);
  world.wipe(b);
  world.boot(b);
  world.meet(c, b);
  world.meet(b, c);
  while (world.bag.length > 0) world.deliver(world.takeFromBag()!);
  world.finishWrite(b);
  assert.equal(b.disk.state, GenesisState.Wiped);
});

test("the two-wipe counterexample of one phase founds no second history", () => {
  // F starts G1 and only M hears of it; F is wiped and asks X and Y; then M tells X and Y, which
  // write with it; M is wiped. F must not found another cluster with M and Z.
  const world = new GenesisWorld(11, 5);
  const [f, m, x, y, z] = world.members as [
    WorldMember,
    WorldMember,
    WorldMember,
    WorldMember,
    WorldMember,
  ];
  bootAll(world);
  const histories = new Histories(world);
  world.meetAll();
  while (world.startedOn(f) === null) {
    for (const member of world.members) {
      world.tick(member, 300);
      world.finishWrite(member);
    }
    if (world.startedOn(f) !== null) break;
    while (world.bag.length > 0) world.deliver(world.takeFromBag()!);
  }
  const toM = world.bag.filter((e) => e.to === m.process);
  world.bag.length = 0;
  for (const envelope of toM) world.deliver(envelope);
  world.finishWrite(m);
  assert.notEqual(world.startedOn(m), null);
  world.wipe(f);
  world.boot(f);
  // F's questions reach X, Y and Z before M's news does; their answers and its offer cross with it.
  for (const other of [x, y, z]) {
    world.meet(other, f);
    world.meet(f, other);
  }
  const asked = world.bag.splice(0);
  for (const envelope of asked) world.deliver(envelope);
  world.bag.length = 0;
  for (const other of [x, y]) {
    world.meet(other, m);
    world.meet(m, other);
  }
  world.tick(m, 2000);
  while (world.bag.length > 0) world.deliver(world.takeFromBag()!);
  world.finishWrite(x);
  world.finishWrite(y);
  histories.look();
  assert.equal(histories.histories.size, 1);
  world.wipe(m);
  settleAll(world, () => histories.look());
  assert.equal(histories.histories.size, 1);
  assert.equal(f.disk.state, GenesisState.Wiped);
  assert.equal(m.disk.state, GenesisState.Wiped);
  assert.notEqual(world.startedOn(z), null);
});

/** Everything in the bag arrives, until nothing more is said. */
function drain(world: GenesisWorld): void {
  while (world.bag.length > 0) world.deliver(world.takeFromBag()!);
}

test("an offer is confirmed when it is held durably, not before, and the start waits for that", () => {
  const world = new GenesisWorld(12, 2);
  bootAll(world);
  const [f, m] = world.members as [WorldMember, WorldMember];
  world.meetAll();
  drain(world);
  world.tick(f, 0);
  world.finishWrite(f);
  assert.equal(f.disk.state, GenesisState.Held);
  const offer = world.takeFromBag()!;
  assert.equal(decodeGenesisFrame(offer.body)?.kind, GenesisKind.Offer);
  world.deliver(offer);
  world.tick(m, 1000);
  assert.equal(m.disk.state, GenesisState.None);
  assert.equal(world.bag.length, 0, "confirmed before it was held");
  world.finishWrite(m);
  assert.equal(m.disk.state, GenesisState.Held);
  assert.equal(f.disk.pending, null);
  drain(world);
  world.tick(m, 1000);
  assert.equal(f.process!.started, null);
  assert.equal(world.bag.length, 0, "said that it started before that is durable");
  world.finishWrite(f);
  assert.notEqual(f.process!.started, null);
});

test("what a wiped process left on the way is not believed behind its successor's hello", () => {
  const world = new GenesisWorld(13, 3);
  bootAll(world);
  const [f, m, x] = world.members as [WorldMember, WorldMember, WorldMember];
  world.meetAll();
  while (world.startedOn(f) === null) {
    drain(world);
    for (const member of world.members) {
      world.tick(member, 300);
      world.finishWrite(member);
    }
  }
  const late = world.bag.filter((e) => decodeGenesisFrame(e.body)?.kind === GenesisKind.Started);
  assert.ok(late.some((e) => e.to === x.process));
  world.bag.length = 0;
  world.wipe(f);
  world.boot(f);
  for (const other of [m, x]) {
    world.meet(other, f);
    world.meet(f, other);
  }
  for (const envelope of late) world.deliver(envelope);
  settleAll(world, () => {});
  const ends = world.members.map((member) => world.startedOn(member)?.genesisId);
  assert.notEqual(ends[0], undefined);
  assert.deepEqual(ends, [ends[0], ends[0], ends[0]]);
});

test("random walks: wipes before the first start never make two geneses, and all start", () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const world = new GenesisWorld(seed, 2 + (seed % 4));
    const histories = new Histories(world);
    for (let i = 0; i < 400; i++) {
      step(world, histories.started.size === 0 ? 100 : 0);
      histories.look();
    }
    settleAll(world, () => histories.look());
    assert.ok(histories.started.size === 1, `seed ${seed}: ${histories.started.size} geneses`);
    for (const member of world.members) {
      const { state } = member.disk;
      const ended = state === GenesisState.Started || state === GenesisState.Wiped;
      assert.ok(ended, `seed ${seed}: ${member.name} ends in state ${state}`);
    }
  }
});

test("random walks: fewer wipes than a majority, at any moment, make no second history", () => {
  let second = 0;
  let inWalk = 0;
  for (let seed = 1; seed <= 1500; seed++) {
    const world = new GenesisWorld(seed, 3 + 2 * (seed % 2));
    const histories = new Histories(world);
    const wipesMax = Math.floor(world.members.length / 2);
    for (let i = 0; i < 900; i++) {
      const early = histories.started.size === 0 && seed % 4 !== 0;
      step(world, early ? 0 : wipesMax);
      histories.look();
      // Wipes matter most while few know that something has started.
      const news = histories.started.size > 0 && histories.histories.size === 0;
      if (news && world.wipes < wipesMax && world.random.chance(0.15)) world.wipe(pick(world));
    }
    if (histories.started.size > 0) inWalk++;
    settleAll(world, () => histories.look());
    if (histories.started.size > 1) second++;
    const ends = new Set(
      world.members.map((m) => world.startedOn(m)?.genesisId).filter((id) => id !== undefined),
    );
    assert.ok(ends.size === 1, `seed ${seed}: the living disagree`);
    for (const member of world.members) {
      const { state } = member.disk;
      const ended = state === GenesisState.Started || state === GenesisState.Wiped;
      assert.ok(ended, `seed ${seed}: ${member.name} ends in state ${state}`);
    }
  }
  // The walks do reach a founder that is wiped before anybody hears of its genesis.
  assert.ok(second > 5, `${second} walks with an orphan, ${inWalk} that started`);
});

test("without wipes every member ends started, whatever is lost, doubled or restarted", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const world = new GenesisWorld(seed, 1 + (seed % 5));
    const histories = new Histories(world);
    for (let i = 0; i < 300; i++) {
      step(world, 0);
      histories.look();
    }
    settleAll(world, () => histories.look());
    for (const member of world.members) {
      assert.equal(member.disk.state, GenesisState.Started, `seed ${seed}: ${member.name}`);
    }
    assert.equal(histories.started.size, 1);
  }
});

test("the record survives its codec; other bytes decode to null, never throw", () => {
  const record = {
    genesisId: 2 ** 52,
    members: [
      { memberId: "a", raftId: 5, name: "n1", peerUrls: ["http://x:1", "http://y:2"] },
      { memberId: "b", raftId: 6, name: "n2", peerUrls: [] },
    ],
  };
  const bytes = encodeGenesisRecord(record);
  assert.deepEqual(decodeGenesisRecord(bytes), record);
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.equal(decodeGenesisRecord(bytes.subarray(0, cut)), null);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
      decodeGenesisRecord(any);
      decodeGenesisFrame(any);
    }),
    { numRuns: 2000 },
  );
});
