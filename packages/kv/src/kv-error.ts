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
  /** There is none to cancel. */
  NoDowngrade: 22,
  /** Another one has not come to its end. */
  DowngradeInFlight: 23,
  // Of users, roles and rights.
  RootUserNotFound: 40,
  RootRoleNotGranted: 41,
  UserExists: 42,
  /** Nobody has said who asks, or a user without a name. */
  UserEmpty: 43,
  UserNotFound: 44,
  RoleExists: 45,
  RoleEmpty: 46,
  RoleNotFound: 47,
  /** Name and password do not belong together. */
  AuthFailed: 48,
  PermissionNotGiven: 49,
  PermissionDenied: 50,
  RoleNotGranted: 51,
  PermissionNotGranted: 52,
  AuthNotEnabled: 53,
  /** Nothing that this cluster gave out, or gave out too long ago. */
  InvalidAuthToken: 54,
  InvalidAuthManagement: 55,
  /** Who asks was found out before the newest change of users, roles or rights. */
  AuthOldRevision: 56,
  /** There is no room for more users, roles or permissions. */
  AuthStoreFull: 57,
} as const;
export type KvError = (typeof KvError)[keyof typeof KvError];
