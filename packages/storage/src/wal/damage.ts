// The classes of damage of reliability.md §3.3, as corrected by P8, as data: what each means, what the
// member does about it, how it ends otherwise, what its operator is told. Nothing here changes a byte:
// whoever repairs or sets aside does it knowingly.
import { ExitCode } from "../env.ts";
import type { LastKnown, Refusal } from "../storage-api.ts";

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
  | "holeWithoutState"
  | "mended"
  | "newer";

/**
 * start: it goes on with what it has. repair: it knows what it has promised and lacks entries, which peers
 * have: it goes on, leads nobody, and is sent them (§3.5). rejoin: it does not know what it has promised,
 * or lacks too much of it, so it sets its directory aside and comes back under another raft id (§3.6, P3).
 * stop: a person has to look.
 */
export type DamageAction = "start" | "repair" | "rejoin" | "stop";

export interface DamageRow {
  /** In the table of §3.3; 0: not in it. */
  readonly row: number;
  readonly action: DamageAction;
  /** Null: the member starts. */
  readonly exitCode: ExitCode | null;
  readonly finding: string;
  readonly advice: string;
}

const fromPeers =
  "keep the directory; bring this member back with an empty one, so that the others replace it";
const byItself = "start it: with peers the member takes the lost entries from them by itself";
const rejoins =
  "with peers the member sets its files aside and comes back by itself; alone it cannot: restore a " +
  "backup, or see `quorate recover`";
const keepFiles =
  "keep the directory and report it: this is a bug of the software, not of the disk";

export const damageRows: Readonly<Record<DamageClass, DamageRow>> = {
  clean: { row: 1, action: "start", exitCode: null, finding: "clean", advice: "" },
  tornTail: { row: 2, action: "start", exitCode: null, finding: "torn tail", advice: "" },
  hole: {
    row: 3,
    action: "repair",
    exitCode: null,
    finding: "a durable part of the log is damaged, what follows it is whole",
    advice: byItself,
  },
  harmlessHole: {
    row: 4,
    action: "start",
    exitCode: null,
    finding: "a part of the log that the checkpoint covers is damaged",
    advice: "",
  },
  lastBatchDamaged: {
    row: 5,
    action: "repair",
    exitCode: null,
    finding: "the last durable batch is damaged, its header is whole",
    advice: byItself,
  },
  tailLost: {
    row: 6,
    action: "rejoin",
    exitCode: ExitCode.Damaged,
    finding: "the durable end of the log is lost, and with it what this member promised",
    advice: rejoins,
  },
  rolledBack: {
    row: 7,
    action: "rejoin",
    exitCode: ExitCode.Damaged,
    finding: "the log is older than the checkpoint or the hard state: it was rolled back",
    advice: rejoins,
  },
  startsRolledBack: {
    row: 7,
    action: "rejoin",
    exitCode: ExitCode.Damaged,
    finding: "the directory counts fewer starts than the log: a part of it is an older copy",
    advice: rejoins,
  },
  promiseUnknown: {
    row: 8,
    action: "rejoin",
    exitCode: ExitCode.Damaged,
    finding: "no whole header attests the newest term and vote",
    advice: rejoins,
  },
  segmentLost: {
    row: 9,
    action: "repair",
    exitCode: null,
    finding: "a segment of the log is missing, of another size or without its header",
    advice: byItself,
  },
  lastSegmentLost: {
    row: 10,
    action: "rejoin",
    exitCode: ExitCode.Damaged,
    finding: "the last segment of the log is missing, of another size or without its header",
    advice: rejoins,
  },
  foreign: {
    row: 11,
    action: "stop",
    exitCode: ExitCode.Foreign,
    finding: "a file of another member, cluster or use stands here",
    advice: "put the right directory in place; nothing was changed",
  },
  contradiction: {
    row: 12,
    action: "stop",
    exitCode: ExitCode.Assertion,
    finding: "the log contradicts itself although every checksum holds",
    advice: keepFiles,
  },
  stateBehindLog: {
    row: 14,
    action: "stop",
    exitCode: ExitCode.Damaged,
    finding: "the checkpoint does not reach the beginning of the log",
    advice: fromPeers,
  },
  holeWithoutState: {
    row: 14,
    action: "rejoin",
    exitCode: ExitCode.Damaged,
    finding: "the checkpoint cannot be read, and a part of the log above it is lost too",
    advice: rejoins,
  },
  mended: {
    row: 0,
    action: "start",
    exitCode: null,
    finding: "a damaged part of the log, whose entries have come again",
    advice: "",
  },
  newer: {
    row: 0,
    action: "stop",
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

/** `known`: what the directory still says of others, should the member have to rejoin. */
export function refusal(damage: Damage, known: LastKnown): Refusal {
  const row = damageRows[damage.class];
  return {
    ok: false,
    exitCode: row.exitCode ?? ExitCode.Assertion,
    reason: `${damage.where}: ${row.finding}; ${row.advice}`,
    rejoins: row.action === "rejoin" ? known : null,
  };
}
