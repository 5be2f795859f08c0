// Expected refusals of the state machine. The server maps them to etcd's gRPC codes and exact texts.

export const KvError = {
  None: 0,
  /** The bytes are not a message of that kind. */
  Malformed: 1,
  KeyNotProvided: 2,
  KeyNotFound: 3,
  ValueProvided: 4,
  LeaseProvided: 5,
  TooManyOps: 6,
  DuplicateKey: 7,
  InvalidSortOption: 8,
  Compacted: 9,
  FutureRevision: 10,
  LeaseNotFound: 11,
  RequestTooLarge: 12,
  /** Nested deeper than txnDepthMax. */
  TxnTooDeep: 13,
  /** The answer would exceed rangeBytesMax. */
  ResponseTooLarge: 14,
  /** An alarm NOSPACE is active. */
  NoSpace: 15,
  /** An alarm CORRUPT is active. */
  Corrupt: 16,
  /** The table of alarms is full. */
  TooManyAlarms: 17,
  LeaseExists: 18,
  /** Longer than leaseTtlSecondsMax. */
  LeaseTtlTooLarge: 19,
  /** leasesMax are there. */
  TooManyLeases: 20,
  /** leaseKeysMax are attached to it. */
  TooManyLeaseKeys: 21,
} as const;
export type KvError = (typeof KvError)[keyof typeof KvError];
