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
} from "@quorate/raft";
import type { LogEnd } from "@quorate/raft";
import type { Recovered } from "@quorate/storage";
import { isHoleForGood, LogRepair } from "./log-repair.ts";

const empty = new Uint8Array(0);

function entry(index: number, term: number, kind: number = EntryKind.Empty): Entry {
  return new Entry(term, index, kind, 1, 0, empty);
}

/** Entries 1 to 2 of term 1 are left; (5, 1) was the end. */
class World {
  readonly raft: RaftNode;
  readonly repair: LogRepair;
  readonly marks: string[] = [];
  readonly journal: string[] = [];

  constructor(promised: LogEnd | null) {
    this.raft = new RaftNode(
      { ...raftDefaults, id: 1, session: 11, random: { below: () => 0 } },
      {
        hardState: new HardState(1, 0, 0),
        confState: new ConfState([1, 2, 3], [], [], [], false),
        snapshotIndex: 0,
        snapshotTerm: 0,
        entries: [entry(1, 1), entry(2, 1)],
        applied: 0,
        wallMs: 0,
        level: 1,
        promised,
      },
    );
    const ignore = (): void => undefined;
    this.repair = new LogRepair({
      raft: this.raft,
      trace: {
        mark: (name) => this.marks.push(name),
        debug: ignore,
        info: ignore,
        warn: ignore,
        error: ignore,
      },
      onHole: (index, what) => this.journal.push(`${index} ${what}`),
    });
  }

  append(term: number, ...entries: Entry[]): void {
    const message = new Message(MessageType.AppendEntries, 2, 1, term);
    message.session = 22;
    message.toSession = 11;
    message.index = entries[0]!.index - 1;
    message.logTerm = 1;
    message.entries = entries;
    this.raft.step(message);
    this.repair.tick();
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
  const log = (promised: LogEnd | null, ...entries: Entry[]): Recovered => ({
    hardState: new HardState(1, 0, 0),
    checkpoint: null,
    lost: null,
    entries,
    logStartIndex: 0,
    logStartTerm: 0,
    promised,
    behind: [],
    peers: [],
  });
  const end = { index: 5, term: 1 };
  assert(isHoleForGood(log(end, entry(1, 1)), 1));
  assert(!isHoleForGood(log(end, entry(1, 1)), 3));
  assert(!isHoleForGood(log(null, entry(1, 1)), 1), "nothing is lost");
  assert(!isHoleForGood(log(end, entry(1, 1, EntryKind.ConfChange)), 1), "others were added");
});
