// Every error of etcd's clients (etcd-api.md §1.4; etcd api/v3rpc/rpctypes): code and exact text. What
// no client can provoke by its requests alone says why. The codes are what a server sends, which in
// two cases is not what its table of errors says.
export interface ContractError {
  readonly code: number;
  readonly text: string;
  /** What servers before 3.6 answer, where it differs. */
  readonly codeBefore36?: number;
}

const invalid = (words: string): ContractError => ({ code: 3, text: `etcdserver: ${words}` });
const missing = (words: string): ContractError => ({ code: 5, text: `etcdserver: ${words}` });
const exhausted = (words: string): ContractError => ({ code: 8, text: `etcdserver: ${words}` });
const refused = (words: string): ContractError => ({ code: 9, text: `etcdserver: ${words}` });
const range = (words: string): ContractError => ({ code: 11, text: `etcdserver: ${words}` });
const unavailable = (words: string): ContractError => ({ code: 14, text: `etcdserver: ${words}` });

export const errors = {
  emptyKey: invalid("key is not provided"),
  keyNotFound: invalid("key not found"),
  valueProvided: invalid("value is provided"),
  leaseProvided: invalid("lease is provided"),
  tooManyOps: invalid("too many operations in txn request"),
  duplicateKey: invalid("duplicate key given in txn request"),
  invalidSortOption: invalid("invalid sort option"),
  compacted: range("mvcc: required revision has been compacted"),
  futureRevision: range("mvcc: required revision is a future revision"),
  noSpace: exhausted("mvcc: database space exceeded"),
  requestTooLarge: invalid("request is too large"),

  leaseNotFound: missing("requested lease not found"),
  leaseExists: refused("lease already exists"),
  leaseTtlTooLarge: range("too large lease TTL"),

  peerUrlExists: refused("Peer URLs already exists"),
  // etcd's server sends the client's form of this error, which has no status of its own: Unknown.
  notEnoughStarted: {
    code: 2,
    text: "etcdserver: re-configuration failed due to not enough started members",
  },
  badMemberUrls: invalid("given member URLs are invalid"),
  memberNotFound: missing("member not found"),
  notALearner: refused("can only promote a learner member"),
  learnerNotReady: refused("can only promote a learner member which is in sync with leader"),
  tooManyLearners: refused("too many learner members in cluster"),
  unhealthy: unavailable("unhealthy cluster"),

  rootUserMissing: refused("root user does not exist"),
  rootRoleMissing: refused("root user does not have root role"),
  userExists: refused("user name already exists"),
  userEmpty: invalid("user name is empty"),
  userNotFound: refused("user name not found"),
  roleExists: refused("role name already exists"),
  roleNotFound: refused("role name not found"),
  roleEmpty: invalid("role name is empty"),
  authFailed: invalid("authentication failed, invalid user ID or password"),
  permissionNotGiven: invalid("permission not given"),
  permissionDenied: { code: 7, text: "etcdserver: permission denied" },
  roleNotGranted: refused("role is not granted to the user"),
  permissionNotGranted: refused("permission is not granted to the role"),
  authNotEnabled: refused("authentication is not enabled"),
  invalidAuthToken: { code: 16, text: "etcdserver: invalid auth token" },
  invalidAuthManagement: invalid("invalid auth management"),
  authOldRevision: invalid("revision of auth store is old"),

  noLeader: unavailable("no leader"),
  notLeader: refused("not leader"),
  timedOut: unavailable("request timed out"),
  /** A write that waits for a leader in vain, in 3.4 and 3.5. */
  deadlineExceeded: { code: 2, text: "context deadline exceeded" },
  corrupt: { code: 15, text: "etcdserver: corrupt cluster" },
  learnerCannot: { ...refused("rpc not supported for learner"), codeBefore36: 14 },
  badTransferee: refused("bad leader transferee"),

  badDowngradeVersion: invalid("wrong downgrade target version format"),
  invalidDowngradeTarget: invalid("invalid downgrade target version"),
  noDowngrade: refused("no inflight downgrade job"),
  downgradeInFlight: refused("cluster has a downgrade job in progress"),
} satisfies Record<string, ContractError>;

export type ErrorName = keyof typeof errors;

/** Of §1.4 and not above: why no request of a client brings them about for certain. */
export const notProvoked: Readonly<Record<string, string>> = {
  "invalid client api version": "answered only to the metadata client-api-version, from 3.5",
  "too many requests": "needs thousands of entries that are committed and not applied",
  "member ID already exist": "needs two additions of the same URLs within the same second",
  "cluster ID mismatch": "between peers only",
  "not capable": "an old cluster version only",
  "cluster version not found during downgrade": "at the very start of a cluster only",
  "leader changed": "a race between an election and a read",
  "server stopped": "a race between the end of the process and a request",
  "request timed out, possibly due to previous leader failure": "a race of an election",
  "request timed out, possibly due to connection lost": "a race of a broken connection",
  "request timed out, waiting for the applied index took too long":
    "needs a member that applies slowly",
  "watch canceled": "told to a client that has cancelled its stream, which no longer hears it",
  "request canceled": "told to a client that has cancelled its call, which no longer hears it",
};
