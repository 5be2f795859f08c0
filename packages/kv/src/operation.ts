// What a log entry of the state machine carries: its kind (the entry's) and, in the payload, who
// asks and the client's request bytes unchanged, or a record of ours (DESIGN.md 10).

/** Entry kinds of the state machine (raft's applicationKindMin and above). On disk: never reuse. */
export const OperationKind = {
  Put: 16,
  DeleteRange: 17,
  Txn: 18,
  Compact: 19,
  /** A record of ours (alarm/alarm-command.ts). */
  Alarm: 20,
  /** As the next two: records of ours (lease/lease-commands.ts). */
  LeaseGrant: 21,
  LeaseRevoke: 22,
  LeaseCheckpoint: 23,
  /** A record of ours (auth/auth-command.ts). */
  Auth: 24,
  /** A record of ours (downgrade/downgrade-command.ts). */
  Downgrade: 25,
} as const;
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind];
/** Of those that carry a client's request. */
export type ClientOperationKind =
  | typeof OperationKind.Put
  | typeof OperationKind.DeleteRange
  | typeof OperationKind.Txn
  | typeof OperationKind.Compact;
