// What a log entry of the state machine carries: its kind (the entry's) and, in the payload, who
// asks and the client's request bytes unchanged (DESIGN.md 10).

/** Entry kinds of the state machine (raft's applicationKindMin and above). On disk: never reuse. */
export const OperationKind = {
  Put: 16,
  DeleteRange: 17,
  Txn: 18,
  Compact: 19,
} as const;
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind];
