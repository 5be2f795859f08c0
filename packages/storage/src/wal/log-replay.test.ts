// How batches, marks and the checkpoint make a log, case by case; the crash tests do it at random.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BatchHeader } from "./batch-header.ts";
import { LogReplay } from "./log-replay.ts";
import type { CheckpointPoint, Replayed } from "./log-replay.ts";
import { entryOf } from "../testing/wal-ledger.ts";
import { BatchKind } from "./wal-format.ts";

type Step =
  | { readonly append: readonly [from: number, to: number, term: number]; readonly commit?: number }
  /** Only the batch's header is left. */
  | { readonly lost: readonly [from: number, to: number, term: number] }
  /** A hard state alone. */
  | { readonly state: number }
  | { readonly mark: readonly [index: number, term: number, id: number]; readonly keeps?: boolean }
  | { readonly boot: readonly [index: number, term: number]; readonly voids?: readonly number[] };

/** Batches 1, 2, … in order; `before` is the log below the first of them. */
function replay(
  steps: readonly Step[],
  checkpoint: CheckpointPoint | null,
  before: readonly [index: number, term: number] = [0, 0],
): Replayed {
  const log = new LogReplay();
  let last = before;
  let commit = 0;
  for (const [at, step] of steps.entries()) {
    const header = new BatchHeader();
    header.seq = at + 1;
    [header.prevLastIndex, header.prevLastTerm] = last;
    const entries = [];
    if ("append" in step) {
      const [from, to, term] = step.append;
      for (let index = from; index <= to; index++) entries.push(entryOf(index, term));
      Object.assign(header, { firstIndex: from, entries: entries.length });
      last = [to, term];
      commit = step.commit ?? commit;
    } else if ("lost" in step) {
      const [from, to, term] = step.lost;
      Object.assign(header, { firstIndex: from, entries: to - from + 1 });
      last = [to, term];
    } else if ("state" in step) {
      header.kind = BatchKind.Append;
      commit = step.state;
    } else if ("mark" in step) {
      const [markIndex, markTerm, markCheckpointId] = step.mark;
      const kind = BatchKind.SnapshotMark;
      Object.assign(header, { kind, markIndex, markTerm, markCheckpointId });
      if (step.keeps !== true) last = [markIndex, markTerm];
      commit = Math.max(commit, markIndex);
    } else {
      header.kind = BatchKind.Boot;
      last = step.boot;
      commit = Math.min(commit, last[0]);
    }
    [header.lastIndex, header.lastTerm] = last;
    header.commit = commit;
    header.term = 9;
    if ("lost" in step) {
      log.lose(header);
      continue;
    }
    log.apply(header, { entries, peers: [], voidMarks: "boot" in step ? (step.voids ?? []) : [] });
  }
  return log.finish(checkpoint);
}

/** `start@term: entries`, commit, and what the boot batch must say. */
function shape(replayed: Replayed): string {
  if (!replayed.ok) return JSON.stringify(replayed.problem);
  const { startIndex, startTerm, entries, hardState, voidMarks, restarted } = replayed;
  const terms = entries.map(({ index, term }) => `${index}@${term}`).join(" ");
  const notes = `${voidMarks.length > 0 ? ` void ${voidMarks.join()}` : ""}${restarted ? " restarted" : ""}`;
  return `${startIndex}@${startTerm}: ${terms}; commit ${hardState.commit}${notes}`;
}

const at = (index: number, term: number, id: number = 900): CheckpointPoint => ({
  id,
  index,
  term,
});

const cases: readonly [name: string, expected: string, replayed: () => Replayed][] = [
  ["nothing at all", "0@0: ; commit 0", () => replay([], null)],
  [
    "appends, one of them truncating",
    "0@0: 1@1 2@1 3@2; commit 2",
    () => replay([{ append: [1, 4, 1] }, { append: [3, 3, 2], commit: 2 }], null),
  ],
  [
    "the segments before are gone: the first header tells what lies below",
    "7@2: 8@2 9@2; commit 8",
    () => replay([{ append: [8, 9, 2] }], at(8, 2), [7, 2]),
  ],
  [
    "a log that a mark has kept, whose part below the mark is gone, and which has a hole above it",
    "13@2: 14@2 15@2; commit 13",
    () =>
      replay(
        [
          { append: [8, 9, 2] },
          { lost: [10, 10, 2] },
          { append: [11, 12, 2] },
          { mark: [5, 1, 900], keeps: true },
          { append: [13, 13, 2] },
          { append: [14, 15, 2], commit: 13 },
        ],
        at(13, 2, 901),
        [7, 2],
      ),
  ],
  [
    "truncated below the first batch that is left: its first entry takes the place of the unknown",
    "5@3: 6@3; commit 5",
    () => replay([{ append: [5, 6, 3] }], at(5, 3), [7, 2]),
  ],
  [
    "truncated right above the checkpoint: the checkpoint knows the term",
    "4@2: 5@3 6@3; commit 4",
    () => replay([{ append: [5, 6, 3] }], at(4, 2), [7, 2]),
  ],
  [
    "a checkpoint inside the log: the tail below it stays",
    "0@0: 1@1 2@1 3@1; commit 2",
    () => replay([{ append: [1, 3, 1] }], at(2, 1)),
  ],
  [
    "a checkpoint above the log: an interrupted install, the log starts there",
    "20@4: ; commit 20 restarted",
    () => replay([{ append: [1, 3, 1] }], at(20, 4)),
  ],
  [
    "a mark that keeps the log, in a segment behind those with its entry: the log goes on at its end",
    "6@1: 7@1; commit 6",
    () => replay([{ mark: [4, 1, 70], keeps: true }, { append: [7, 7, 1] }], at(6, 1, 71), [6, 1]),
  ],
  [
    "a mark that keeps the log and is void: nothing has changed",
    "0@0: 1@1 2@1 3@1; commit 2 void 2",
    () =>
      replay(
        [
          { append: [1, 3, 1], commit: 2 },
          { mark: [2, 1, 70], keeps: true },
        ],
        null,
      ),
  ],
  [
    "a checkpoint whose entry the log has with another term: the log is another leader's",
    "2@4: ; commit 2 restarted",
    () => replay([{ append: [1, 3, 1] }], at(2, 4)),
  ],
  [
    "a mark in force: the log before is void",
    "10@3: 11@3; commit 10",
    () =>
      replay(
        [{ append: [1, 3, 1] }, { mark: [10, 3, 77] }, { append: [11, 11, 3] }],
        at(10, 3, 77),
      ),
  ],
  [
    "a mark whose checkpoint was followed by another one of the same run",
    "10@3: 11@3 12@3; commit 12",
    () =>
      replay([{ append: [1, 3, 1] }, { mark: [10, 3, 77] }, { append: [11, 12, 3] }], at(12, 3)),
  ],
  [
    "a mark not in force is void, the commit index of the snapshot with it",
    "0@0: 1@1 2@1; commit 2 void 2",
    () => replay([{ append: [1, 2, 1] }, { mark: [10, 3, 77] }], at(2, 1)),
  ],
  [
    "behind a void mark the tail of another leader is not committed (simulator, seed 157)",
    "0@0: 1@1 2@1 3@1; commit 1 void 2",
    () => replay([{ append: [1, 3, 1], commit: 1 }, { mark: [10, 3, 77] }], at(1, 1)),
  ],
  [
    "hard states after a void mark speak of its snapshot too",
    "0@0: 1@1 2@1 3@1; commit 1 void 2",
    () => {
      const steps: Step[] = [
        { append: [1, 3, 1], commit: 1 },
        { mark: [10, 3, 77] },
        { state: 12 },
      ];
      return replay(steps, at(1, 1));
    },
  ],
  [
    "a hard state that speaks of a snapshot before its mark, and the mark never came",
    "0@0: 1@1 2@1 3@1; commit 1",
    () => replay([{ append: [1, 3, 1], commit: 1 }, { state: 10 }], at(1, 1)),
  ],
  [
    "a hard state alone moves the commit index within the log",
    "0@0: 1@1 2@1 3@1; commit 3",
    () => replay([{ append: [1, 3, 1], commit: 1 }, { state: 3 }], at(1, 1)),
  ],
  [
    "the second of two marks is void",
    "10@3: 11@3; commit 10 void 3",
    () => {
      const steps: Step[] = [{ mark: [10, 3, 77] }, { append: [11, 11, 3] }, { mark: [30, 4, 78] }];
      return replay(steps, at(10, 3, 77));
    },
  ],
  [
    "a mark voided by an earlier start stays void, also under a later checkpoint above it",
    "0@0: 1@1 2@1 3@5 4@5; commit 4",
    () => {
      const steps: Step[] = [
        { append: [1, 2, 1] },
        { mark: [3, 3, 77] },
        { boot: [2, 1], voids: [2] },
        { append: [3, 4, 5] },
      ];
      return replay(steps, at(4, 5));
    },
  ],
  [
    "a void mark that is gone itself: the boot batch tells the end of the log",
    "2@1: 3@5; commit 3",
    () => replay([{ boot: [2, 1], voids: [1] }, { append: [3, 3, 5] }], at(3, 5), [30, 3]),
  ],
  [
    "a mark at an entry that the log has keeps what is above",
    "0@0: 1@1 2@1 3@1; commit 2",
    () => replay([{ append: [1, 3, 1] }, { mark: [2, 1, 77] }], at(2, 1, 77)),
  ],
  [
    "a gap is a contradiction",
    '{"what":"gap","seq":2,"firstIndex":5,"last":3}',
    () => replay([{ append: [1, 3, 1] }, { append: [5, 5, 1] }], null),
  ],
  [
    "a log that starts above the checkpoint",
    '{"what":"uncovered","startIndex":7,"checkpoint":6}',
    () => replay([{ append: [8, 9, 2] }], at(6, 2), [7, 2]),
  ],
  [
    "a commit index above the log",
    '{"what":"commit","commit":9,"last":3}',
    () => replay([{ append: [1, 3, 1], commit: 9 }], null),
  ],
];

describe("log replay", () => {
  for (const [name, expected, replayed] of cases) {
    it(name, () => assert.equal(shape(replayed()), expected));
  }
});
