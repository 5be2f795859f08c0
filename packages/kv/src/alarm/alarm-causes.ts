// Why there are alarms, as data: which kind each cause raises, whether it ends by itself, and what an
// operator can do. Who looks for a cause is elsewhere; whoever shows an alarm shows the advice.
import { AlarmType } from "./alarm-type.ts";

/** On disk: never reuse. */
export const AlarmCause = {
  /** A client of the Alarm call. Only such a call ends it. */
  Operator: 1,
  /** The room on a member's disk is below its reserve. */
  DiskSpace: 2,
  /** The rows that no compaction has freed are above --quota-backend-bytes. */
  Quota: 3,
  /** Digests differ, and no majority of the voters agrees on one. */
  Digests: 4,
  /** Reads of a member's own files have failed. */
  ReadErrors: 5,
  /** A follower is sent more and more, and gets no further. */
  Replication: 6,
} as const;
export type AlarmCause = (typeof AlarmCause)[keyof typeof AlarmCause];

export interface CauseRow {
  /** Null: whichever the client asked for. */
  readonly type: AlarmType | null;
  /** Whoever raised it takes it back when it is over; otherwise an operator does. */
  readonly endsByItself: boolean;
  /** It is about what its member does, and void while that one is away. */
  readonly endsWhenAway: boolean;
  /** One line for an operator. */
  readonly advice: string;
}

export const alarmCauses: Record<AlarmCause, CauseRow> = {
  [AlarmCause.Operator]: {
    type: null,
    endsByItself: false,
    endsWhenAway: false,
    advice: "somebody raised it; take it back with: etcdctl alarm disarm",
  },
  [AlarmCause.DiskSpace]: {
    type: AlarmType.NoSpace,
    endsByItself: true,
    endsWhenAway: true,
    advice: "make room on that member's disk, or delete keys and compact",
  },
  [AlarmCause.Quota]: {
    type: AlarmType.NoSpace,
    endsByItself: true,
    endsWhenAway: true,
    advice: "delete keys and compact, or raise --quota-backend-bytes",
  },
  [AlarmCause.Digests]: {
    type: AlarmType.Corrupt,
    endsByItself: false,
    endsWhenAway: false,
    advice: "find out which member is right, rebuild the others, then: etcdctl alarm disarm",
  },
  [AlarmCause.ReadErrors]: {
    type: AlarmType.DiskFailing,
    endsByItself: false,
    endsWhenAway: false,
    advice: "replace that member's disk: quorate members replace",
  },
  [AlarmCause.Replication]: {
    type: AlarmType.ReplicationStalled,
    endsByItself: true,
    endsWhenAway: false,
    advice: "look at that member's log and disk; with an empty directory it starts anew",
  },
};

export function isAlarmCause(value: number): value is AlarmCause {
  return value in alarmCauses;
}
