// What a member says of a hole in its log while the core fills it: lost, how far, filled or void. The
// core is a real one; the leader's appends are written by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfState,
  Entry,
  EntryKind,
  HardState,
  Message,
  MessageType,
  RaftNode,
  raftDefaults,
  Ready,
} from "@quorate/raft";
import type { LogPoint } from "@quorate/raft";
import type { Recovered } from "@quorate/storage";
import {
  decodeLogAnswer,
  decodeLogAsk,
  encodeLogAnswer,
  encodeLogAsk,
  LogOutcome,
} from "../peers/log-codec.ts";
import type { LogAnswer, LogAsk } from "../peers/log-codec.ts";
import { isHoleForGood, LogRepair } from "./log-repair.ts";

const empty = new Uint8Array(0);

function entry(index: number, term: number, kind: number = EntryKind.Empty): Entry {
  return new Entry(term, index, kind, 1, 0, empty);
}

const silentTicks = 100;

/** A member of three, with these entries of term 1. */
class World {
  readonly raft: RaftNode;
  readonly repair: LogRepair;
  readonly marks: string[] = [];
  readonly journal: string[] = [];
  /** Questions on their way to both of the others. */
  readonly asks: LogAsk[] = [];
  readonly answers: Omit<LogAnswer, "toSession">[] = [];

  constructor(
    promised: LogPoint | null,
    indexes: number[] = [1, 2],
    behind: number[] = [],
    names: number[] = [],
  ) {
    this.raft = new RaftNode(
      { ...raftDefaults, id: 1, session: 11, random: { below: () => 0 } },
      {
        hardState: new HardState(1, 0, 0),
        confState: new ConfState([1, 2, 3], [], [], [], false),
        snapshotIndex: 0,
        snapshotTerm: 0,
        entries: indexes.map((index) => entry(index, 1)),
        applied: 0,
        wallMs: 0,
        level: 1,
        promised,
      },
    );
    const ignore = (): void => undefined;
    this.repair = new LogRepair(
      {
        raft: this.raft,
        talk: {
          ask: (of, ask) => {
            assert.deepEqual(of, [2, 3]);
            this.asks.push(ask);
          },
          answer: (_to, answer) => this.answers.push(answer),
        },
        trace: {
          mark: (name) => this.marks.push(name),
          debug: ignore,
          info: ignore,
          warn: ignore,
          error: ignore,
        },
        silentTicks,
        askTicksMin: 10,
        askTicksMax: 1000,
        onHole: (index, what) => this.journal.push(`${index} ${what}`),
        onMended: () => undefined,
      },
      {
        behind: behind.map((index) => entry(index, 1)),
        names: names.map((index) => ({ index, term: 1 })),
      },
    );
  }

  /** All up to there is committed and applied. */
  commit(index: number): void {
    const message = new Message(MessageType.AppendEntries, 2, 1, 1);
    message.session = 22;
    message.toSession = 11;
    message.index = 5;
    message.logTerm = 1;
    message.commit = index;
    this.raft.step(message);
    this.raft.takeReady(new Ready());
    this.raft.applied(index);
  }

  /** The questions so far reach the other, and its answers come back. */
  askAt(other: World): LogOutcome[] {
    const outcomes: LogOutcome[] = [];
    for (const ask of this.asks.splice(0)) {
      other.repair.asked(1, ask);
      const answer = other.answers.pop()!;
      outcomes.push(answer.outcome);
      const body = encodeLogAnswer({ ...answer, toSession: 11 });
      this.repair.answered(decodeLogAnswer(body)!);
    }
    this.repair.tick(1);
    return outcomes;
  }

  append(term: number, ...entries: Entry[]): void {
    const message = new Message(MessageType.AppendEntries, 2, 1, term);
    message.session = 22;
    message.toSession = 11;
    message.index = entries[0]!.index - 1;
    message.logTerm = 1;
    message.entries = entries;
    this.raft.step(message);
    this.repair.tick(1);
  }
}

test("a whole log says nothing", () => {
  const world = new World(null);
  world.append(1, entry(3, 1));
  assert.deepEqual([world.repair.reason, world.marks, world.journal], ["", [], []]);
});

test("what is missing is told until the promised entry is there", () => {
  const world = new World({ index: 5, term: 1 });
  assert.deepEqual(world.marks, ["repair.log.promised"]);
  assert.equal(world.repair.reason, "a hole in the log is being filled: 0 of 3");
  world.append(1, entry(3, 1));
  assert.equal(world.repair.reason, "a hole in the log is being filled: 1 of 3");
  world.append(1, entry(4, 1), entry(5, 1), entry(6, 1));
  assert.equal(world.repair.reason, "");
  assert.deepEqual(world.marks, ["repair.log.promised", "repair.log.filled"]);
  assert.deepEqual(world.journal, ["5 entries from 3 on are lost", "5 filled"]);
});

test("a leader whose log holds something else there ends it too, and that is told apart", () => {
  for (const entries of [[entry(3, 2)], [entry(3, 1), entry(4, 1), entry(5, 2)]]) {
    const world = new World({ index: 5, term: 1 });
    world.append(2, ...entries);
    assert.equal(world.repair.reason, "");
    assert.deepEqual(world.marks, ["repair.log.promised", "repair.log.void"]);
    assert.equal(world.journal[1], "5 void: it was never committed");
  }
});

test("who was never with others has nobody who could give", () => {
  const log = (promised: LogPoint | null, ...entries: Entry[]): Recovered => ({
    hardState: new HardState(1, 0, 0),
    checkpoint: null,
    lost: null,
    entries,
    logStartIndex: 0,
    logStartTerm: 0,
    promised,
    behind: [],
    names: [],
    peers: [],
  });
  const end = { index: 5, term: 1 };
  assert(isHoleForGood(log(end, entry(1, 1)), 1));
  assert(!isHoleForGood(log(end, entry(1, 1)), 3));
  assert(!isHoleForGood(log(null, entry(1, 1)), 1), "nothing is lost");
  assert(!isHoleForGood(log(end, entry(1, 1, EntryKind.ConfChange)), 1), "others were added");
});

test("nobody is asked as long as somebody leads, and not at once when nobody does", () => {
  const world = new World({ index: 5, term: 1 });
  world.append(1, entry(3, 1));
  world.repair.tick(10 * silentTicks);
  assert.equal(world.asks.length, 0);
  for (let i = 0; i < 2 * silentTicks; i++) world.raft.tick();
  assert.equal(world.raft.leader(), 0, "it notices that nobody leads");
  world.repair.tick(silentTicks - 1);
  assert.equal(world.asks.length, 0);
  for (let i = 0; i < 150; i++) world.repair.tick(1);
  // After 10, 20, 40, 80 ticks: each time twice as long.
  assert.equal(world.asks.length, 4);
  const { beforeIndex, beforeTerm, upToIndex, upToTerm } = world.asks[0]!;
  assert.deepEqual([beforeIndex, beforeTerm, upToIndex, upToTerm], [3, 1, 5, 1]);
});

test("two whose logs have holes in different places make each other whole", () => {
  const end = { index: 10, term: 1 };
  const a = new World(end, [1, 2, 3, 4], [7, 8, 9, 10]);
  const b = new World(end, [1, 2, 3, 4, 5, 6, 7], [10]);
  a.repair.tick(silentTicks);
  b.repair.tick(silentTicks);
  assert.deepEqual(b.askAt(a), [LogOutcome.NotMine], "it has less itself");
  assert.deepEqual(a.askAt(b), [LogOutcome.Have]);
  assert.equal(a.raft.lastIndex(), 10, "what stood behind the hole it had itself");
  assert.equal(a.raft.promised(), null);
  assert.equal(a.marks.at(-1), "repair.log.filled");
  b.repair.tick(silentTicks);
  assert.deepEqual(b.askAt(a), [LogOutcome.Have]);
  assert.equal(b.raft.promised(), null);
});

test("and where one hole begins as the other one ends, by the name of what stood before", () => {
  const end = { index: 10, term: 1 };
  const a = new World(end, [1, 2, 3, 4], [8, 9, 10], [7]);
  const b = new World(end, [1, 2, 3, 4, 5, 6, 7], [10], [9]);
  a.repair.tick(silentTicks);
  assert.deepEqual(a.askAt(b), [LogOutcome.Have]);
  assert.deepEqual([a.raft.lastIndex(), a.raft.promised()], [10, null]);
  b.repair.tick(silentTicks);
  assert.deepEqual(b.askAt(a), [LogOutcome.Have]);
  assert.deepEqual([b.raft.lastIndex(), b.raft.promised()], [10, null]);
});

test("another log gives nothing, a compacted one says so, and a late answer is not believed", () => {
  const end = { index: 5, term: 1 };
  const ask = { number: 1, beforeIndex: 2, beforeTerm: 1, upToIndex: 5, upToTerm: 1 };
  const outcomeOf = (world: World, changed: Partial<LogAsk>): LogOutcome => {
    world.repair.asked(2, { ...ask, ...changed });
    return world.answers.pop()!.outcome;
  };
  const whole = new World(null, [1, 2, 3, 4, 5]);
  assert.equal(outcomeOf(whole, {}), LogOutcome.Have);
  assert.equal(outcomeOf(whole, { beforeTerm: 2 }), LogOutcome.NotMine);
  assert.equal(outcomeOf(whole, { upToTerm: 2 }), LogOutcome.NotMine);
  assert.equal(outcomeOf(whole, { upToIndex: 6 }), LogOutcome.NotMine);
  for (let index = 1; index <= 4; index++) whole.commit(index);
  whole.raft.compacted(4);
  assert.equal(outcomeOf(whole, {}), LogOutcome.Compacted);
  assert.equal(outcomeOf(whole, { beforeIndex: 4 }), LogOutcome.Have);

  const world = new World(end);
  world.repair.tick(silentTicks);
  const { number } = world.asks[0]!;
  const entries = [3, 4, 5].map((index) => entry(index, 1));
  const answer = { toSession: 11, number, outcome: LogOutcome.Have, entries };
  world.repair.answered({ ...answer, number: number + 1 });
  world.repair.answered({ ...answer, outcome: LogOutcome.NotMine });
  world.repair.answered({ ...answer, entries: [] });
  assert.equal(world.raft.lastIndex(), 2);
  // A leader was faster.
  world.append(1, entry(3, 1));
  world.repair.answered(answer);
  assert.equal(world.raft.lastIndex(), 3);
});

test("questions and answers come back as they left, and nonsense as null", () => {
  const ask = { number: 7, beforeIndex: 2, beforeTerm: 1, upToIndex: 2 ** 40, upToTerm: 3 };
  assert.deepEqual(decodeLogAsk(encodeLogAsk(ask)), ask);
  assert.equal(decodeLogAsk(encodeLogAsk({ ...ask, upToIndex: 2 })), null);
  assert.equal(decodeLogAsk(encodeLogAsk(ask).subarray(1)), null);
  const entries = [new Entry(3, 9, 16, 1, 5, Uint8Array.of(1, 2)), entry(10, 3)];
  const answer = { toSession: 12, number: 7, outcome: LogOutcome.Have, entries };
  const body = encodeLogAnswer(answer);
  assert.deepEqual(decodeLogAnswer(body), answer);
  for (let cut = 0; cut < body.length; cut++) {
    assert.equal(decodeLogAnswer(body.subarray(0, cut)), null);
  }
});
