// Marks that only damage passes (reliability.md §3.3): a row of the table each. At these no process
// needs to crash.

const rowMark = (row: number): string => `wal.recover.row${row}`;

/** What the log says of itself: a start that passes one of them ends. */
const inLog: readonly string[] = [6, 7, 8, 10, 11].map(rowMark);

/** Parts of the log are lost, and what was promised is known: a start goes on, and takes them back. */
const mendedLog: readonly string[] = [...[3, 4, 5, 9].map(rowMark), "wal.recover.mended"];

/** A bug of the software, a newer binary's directory, a checkpoint without its log. */
export const unreachableMarks: readonly string[] = [0, 12, 14].map(rowMark);

/** Rows and tables are damaged, or cannot be read: what was promised is whole. */
const inRows = "rows.recover.row14";

/** From the first to the second a process has no state. */
export const stateLostMark = "repair.state.lost";
export const stateRebuiltMark = "repair.state.rebuilt";

/** A log has lost entries, and has them again. */
const logPromisedMark = "repair.log.promised";
const logFilledMark = "repair.log.filled";

/** A member says that its own digest is the odd one, or that none has a majority. */
export const oddDigestMark = "digest.odd";
export const noMajorityMark = "digest.no-majority";

/** A process that ends so starts again, and rebuilds its state. */
export function isMendedByStart(reason: string): boolean {
  return reason.includes("row segment is damaged: start the member again");
}

/** A peer knows a later start of this directory. */
export const regressedMark = "identity.regressed";

/** It is durable that the directory is set aside: from here on its raft id never speaks again. */
export const asideMark = "aside.written";
export const asideMoveMark = "aside.move";
export const asideDoneMark = "aside.done";

/** A member that finds one of these does not know what it has promised, and rejoins (P3). */
const rejoining: ReadonlySet<string> = new Set([...[6, 7, 8, 10, 14].map(rowMark), regressedMark]);

export function isRejoining(mark: string): boolean {
  return rejoining.has(mark);
}

/** A long run passes each of them. Row 13 is one bad copy of the manifest, row 16 a read error. */
export const damageMarks: readonly string[] = [
  ...inLog,
  ...mendedLog,
  "manifest.recover.row13",
  inRows,
  "wal.recover.row16",
  regressedMark,
  stateLostMark,
  stateRebuiltMark,
  logPromisedMark,
  logFilledMark,
];

/** Stories pass them, random runs hardly ever: lost entries that were never committed, odd states. */
export const storyMarks: readonly string[] = [
  "repair.log.void",
  "snapshot.source-damaged",
  oddDigestMark,
  noMajorityMark,
];

const findings: ReadonlySet<string> = new Set([...inLog, ...unreachableMarks, regressedMark]);

export function isFinding(mark: string): boolean {
  return findings.has(mark);
}
