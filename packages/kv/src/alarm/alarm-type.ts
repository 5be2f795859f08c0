// The kinds of alarms: etcd's by etcd's numbers, and ours far above them. On disk and on the wire:
// never reuse.

export const AlarmType = {
  /** Of a question: every kind. */
  None: 0,
  /** etcd's: puts are refused on all members, what frees room goes on. */
  NoSpace: 1,
  /** etcd's: the members' states differ; every write is refused. */
  Corrupt: 2,
  /** A member's disk has refused to read what stands on it. */
  DiskFailing: 101,
  /** The leader gets a follower no further, however much it sends. */
  ReplicationStalled: 102,
} as const;
export type AlarmType = (typeof AlarmType)[keyof typeof AlarmType];

/** As etcd's clients print them, and ours in the same manner. */
export const alarmNames: Record<AlarmType, string> = {
  [AlarmType.None]: "NONE",
  [AlarmType.NoSpace]: "NOSPACE",
  [AlarmType.Corrupt]: "CORRUPT",
  [AlarmType.DiskFailing]: "DISK_FAILING",
  [AlarmType.ReplicationStalled]: "REPLICATION_STALLED",
};

/** None is no kind that could be active. */
export function isAlarmType(value: number): value is AlarmType {
  return value !== AlarmType.None && value in alarmNames;
}

/** A client of etcd's knows it by name; others it would take for nonsense. */
export function isEtcdAlarm(type: AlarmType): boolean {
  return type === AlarmType.NoSpace || type === AlarmType.Corrupt;
}
