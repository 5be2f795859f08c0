// The classes of damage of reliability.md §3.3, as corrected by P8, as data: what each means, how
// the member ends, what its operator is told. Rows 1 and 2 start the member; until repair lands,
// every other row stops it without changing a byte.
import { ExitCode } from "../env.ts";
import type { Refusal } from "../storage-api.ts";

export type DamageClass =
  | "clean"
  | "tornTail"
  | "hole"
  | "harmlessHole"
  | "lastBatchDamaged"
  | "tailLost"
  | "rolledBack"
  | "startsRolledBack"
  | "promiseUnknown"
  | "segmentLost"
  | "lastSegmentLost"
  | "foreign"
  | "contradiction"
  | "stateBehindLog"
  | "newer";

export interface DamageRow {
  /** In the table of §3.3; 0: not in it. */
  readonly row: number;
  /** Null: the member starts. */
  readonly exitCode: ExitCode | null;
  readonly finding: string;
  readonly advice: string;
}

const fromPeers =
  "keep the directory; bring this member back with an empty one, so that the others replace it";
const keepFiles =
  "keep the directory and report it: this is a bug of the software, not of the disk";

export const damageRows: Readonly<Record<DamageClass, DamageRow>> = {
  clean: { row: 1, exitCode: null, finding: "clean", advice: "" },
  tornTail: { row: 2, exitCode: null, finding: "torn tail", advice: "" },
  hole: {
    row: 3,
    exitCode: ExitCode.Damaged,
    finding: "a durable part of the log is damaged, what follows it is whole",
    advice: fromPeers,
  },
  harmlessHole: {
    row: 4,
    exitCode: ExitCode.Damaged,
    finding: "a part of the log that the checkpoint covers is damaged",
    advice: fromPeers,
  },
  lastBatchDamaged: {
    row: 5,
    exitCode: ExitCode.Damaged,
    finding: "the last durable batch is damaged, its header is whole",
    advice: fromPeers,
  },
  tailLost: {
    row: 6,
    exitCode: ExitCode.Damaged,
    finding: "the durable end of the log is lost, and with it what this member promised",
    advice: fromPeers,
  },
  rolledBack: {
    row: 7,
    exitCode: ExitCode.Damaged,
    finding: "the log is older than the checkpoint or the hard state: it was rolled back",
    advice: fromPeers,
  },
  startsRolledBack: {
    row: 7,
    exitCode: ExitCode.Damaged,
    finding: "the directory counts fewer starts than the log: a part of it is an older copy",
    advice: fromPeers,
  },
  promiseUnknown: {
    row: 8,
    exitCode: ExitCode.Damaged,
    finding: "no whole header attests the newest term and vote",
    advice: fromPeers,
  },
  segmentLost: {
    row: 9,
    exitCode: ExitCode.Damaged,
    finding: "a segment of the log is missing, of another size or without its header",
    advice: fromPeers,
  },
  lastSegmentLost: {
    row: 10,
    exitCode: ExitCode.Damaged,
    finding: "the last segment of the log is missing, of another size or without its header",
    advice: fromPeers,
  },
  foreign: {
    row: 11,
    exitCode: ExitCode.Foreign,
    finding: "a file of another member, cluster or use stands here",
    advice: "put the right directory in place; nothing was changed",
  },
  contradiction: {
    row: 12,
    exitCode: ExitCode.Assertion,
    finding: "the log contradicts itself although every checksum holds",
    advice: keepFiles,
  },
  stateBehindLog: {
    row: 14,
    exitCode: ExitCode.Damaged,
    finding: "the checkpoint does not reach the beginning of the log",
    advice: fromPeers,
  },
  newer: {
    row: 0,
    exitCode: ExitCode.Foreign,
    finding: "the log is of a newer format",
    advice: "start a newer quorate, or the one that wrote it; nothing was changed",
  },
};

/** A class of the table, and where. */
export interface Damage {
  readonly class: DamageClass;
  /** File, offset, numbers: what was found there. */
  readonly where: string;
}

export function refusal(damage: Damage): Refusal {
  const row = damageRows[damage.class];
  return {
    ok: false,
    exitCode: row.exitCode ?? ExitCode.Assertion,
    reason: `${damage.where}: ${row.finding}; ${row.advice}`,
  };
}
