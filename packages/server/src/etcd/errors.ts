// Outcomes as etcd's clients know them: code and exact text (etcd api/v3rpc/rpctypes, etcd-api.md §1.4).
import { GrpcCode } from "@quorate/grpc";
import { FailureCode, MemberError } from "@quorate/host";
import type { Failure } from "@quorate/host";
import { KvError } from "@quorate/kv";

export interface EtcdError {
  readonly code: GrpcCode;
  readonly text: string;
}

function error(code: GrpcCode, text: string): EtcdError {
  return { code, text };
}

const invalid = GrpcCode.InvalidArgument;
const precondition = GrpcCode.FailedPrecondition;

const authErrors = {
  [KvError.RootUserNotFound]: error(precondition, "etcdserver: root user does not exist"),
  [KvError.RootRoleNotGranted]: error(
    precondition,
    "etcdserver: root user does not have root role",
  ),
  [KvError.UserExists]: error(precondition, "etcdserver: user name already exists"),
  [KvError.UserEmpty]: error(invalid, "etcdserver: user name is empty"),
  [KvError.UserNotFound]: error(precondition, "etcdserver: user name not found"),
  [KvError.RoleExists]: error(precondition, "etcdserver: role name already exists"),
  [KvError.RoleEmpty]: error(invalid, "etcdserver: role name is empty"),
  [KvError.RoleNotFound]: error(precondition, "etcdserver: role name not found"),
  [KvError.AuthFailed]: error(
    invalid,
    "etcdserver: authentication failed, invalid user ID or password",
  ),
  [KvError.PermissionNotGiven]: error(invalid, "etcdserver: permission not given"),
  [KvError.PermissionDenied]: error(GrpcCode.PermissionDenied, "etcdserver: permission denied"),
  [KvError.RoleNotGranted]: error(precondition, "etcdserver: role is not granted to the user"),
  [KvError.PermissionNotGranted]: error(
    precondition,
    "etcdserver: permission is not granted to the role",
  ),
  [KvError.AuthNotEnabled]: error(precondition, "etcdserver: authentication is not enabled"),
  [KvError.InvalidAuthToken]: error(GrpcCode.Unauthenticated, "etcdserver: invalid auth token"),
  [KvError.InvalidAuthManagement]: error(invalid, "etcdserver: invalid auth management"),
  [KvError.AuthOldRevision]: error(invalid, "etcdserver: revision of auth store is old"),
  // Not etcd's: it has no such bounds.
  [KvError.AuthStoreFull]: error(
    GrpcCode.ResourceExhausted,
    "etcdserver: too many users, roles or permissions",
  ),
};

const kvErrors: Record<KvError, EtcdError> = {
  [KvError.None]: error(GrpcCode.Internal, "etcdserver: no error"),
  [KvError.Malformed]: error(GrpcCode.Internal, "grpc: failed to unmarshal the received message"),
  [KvError.KeyNotProvided]: error(invalid, "etcdserver: key is not provided"),
  [KvError.KeyNotFound]: error(invalid, "etcdserver: key not found"),
  [KvError.ValueProvided]: error(invalid, "etcdserver: value is provided"),
  [KvError.LeaseProvided]: error(invalid, "etcdserver: lease is provided"),
  [KvError.TooManyOps]: error(invalid, "etcdserver: too many operations in txn request"),
  [KvError.DuplicateKey]: error(invalid, "etcdserver: duplicate key given in txn request"),
  [KvError.InvalidSortOption]: error(invalid, "etcdserver: invalid sort option"),
  [KvError.Compacted]: error(
    GrpcCode.OutOfRange,
    "etcdserver: mvcc: required revision has been compacted",
  ),
  [KvError.FutureRevision]: error(
    GrpcCode.OutOfRange,
    "etcdserver: mvcc: required revision is a future revision",
  ),
  [KvError.LeaseNotFound]: error(GrpcCode.NotFound, "etcdserver: requested lease not found"),
  [KvError.RequestTooLarge]: error(invalid, "etcdserver: request is too large"),
  [KvError.TxnTooDeep]: error(invalid, "etcdserver: too many operations in txn request"),
  [KvError.ResponseTooLarge]: error(
    GrpcCode.ResourceExhausted,
    "grpc: trying to send message larger than max",
  ),
  [KvError.NoSpace]: error(GrpcCode.ResourceExhausted, "etcdserver: mvcc: database space exceeded"),
  [KvError.Corrupt]: error(GrpcCode.DataLoss, "etcdserver: corrupt cluster"),
  // Not etcd's: its table has no bound.
  [KvError.TooManyAlarms]: error(GrpcCode.ResourceExhausted, "etcdserver: too many alarms"),
  [KvError.LeaseExists]: error(precondition, "etcdserver: lease already exists"),
  [KvError.LeaseTtlTooLarge]: error(GrpcCode.OutOfRange, "etcdserver: too large lease TTL"),
  // Not etcd's: it has no such bounds.
  [KvError.TooManyLeases]: error(GrpcCode.ResourceExhausted, "etcdserver: too many leases"),
  [KvError.TooManyLeaseKeys]: error(
    GrpcCode.ResourceExhausted,
    "etcdserver: too many keys attached to the lease",
  ),
  [KvError.NoDowngrade]: error(precondition, "etcdserver: no inflight downgrade job"),
  [KvError.DowngradeInFlight]: error(
    precondition,
    "etcdserver: cluster has a downgrade job in progress",
  ),
  ...authErrors,
};

const failures: Record<FailureCode, EtcdError> = {
  [FailureCode.Kv]: error(GrpcCode.Internal, "etcdserver: refused"),
  [FailureCode.NoLeader]: error(GrpcCode.Unavailable, "etcdserver: no leader"),
  [FailureCode.LeaderChanged]: error(GrpcCode.Unavailable, "etcdserver: leader changed"),
  [FailureCode.TimedOut]: error(GrpcCode.Unavailable, "etcdserver: request timed out"),
  [FailureCode.TooManyRequests]: error(GrpcCode.ResourceExhausted, "etcdserver: too many requests"),
  [FailureCode.TooLarge]: error(invalid, "etcdserver: request is too large"),
  [FailureCode.Stopped]: error(GrpcCode.Unavailable, "etcdserver: server stopped"),
  [FailureCode.Membership]: error(precondition, "etcdserver: refused"),
  [FailureCode.Rebuilding]: error(
    GrpcCode.Unavailable,
    "etcdserver: the state of this member is being rebuilt",
  ),
};

const memberErrors: Record<MemberError, EtcdError> = {
  [MemberError.None]: error(GrpcCode.Internal, "etcdserver: no error"),
  [MemberError.IdExists]: error(precondition, "etcdserver: member ID already exist"),
  [MemberError.PeerUrlExists]: error(precondition, "etcdserver: Peer URLs already exists"),
  [MemberError.NotFound]: error(GrpcCode.NotFound, "etcdserver: member not found"),
  [MemberError.NotLearner]: error(precondition, "etcdserver: can only promote a learner member"),
  [MemberError.LearnerNotReady]: error(
    precondition,
    "etcdserver: can only promote a learner member which is in sync with leader",
  ),
  [MemberError.TooManyLearners]: error(
    precondition,
    "etcdserver: too many learner members in cluster",
  ),
  // etcd means FailedPrecondition, and sends this: its table holds the client's form of the error.
  [MemberError.NotEnoughStarted]: error(
    GrpcCode.Unknown,
    "etcdserver: re-configuration failed due to not enough started members",
  ),
  [MemberError.Unhealthy]: error(GrpcCode.Unavailable, "etcdserver: unhealthy cluster"),
  [MemberError.BadUrls]: error(invalid, "etcdserver: given member URLs are invalid"),
  // Not etcd's: it has no such bounds and names.
  [MemberError.TooManyMembers]: error(precondition, "etcdserver: too many members in cluster"),
  [MemberError.NameExists]: error(precondition, "etcdserver: member name already exists"),
  [MemberError.Overtaken]: error(
    precondition,
    "etcdserver: another change of the members came first",
  ),
  [MemberError.Weakens]: error(
    precondition,
    "etcdserver: re-configuration failed: it would not survive the loss of one more member, " +
      "which the present one would",
  ),
};

export function kvErrorOf(code: KvError): EtcdError {
  return kvErrors[code];
}

export function memberErrorOf(code: MemberError): EtcdError {
  return memberErrors[code];
}

export const downgradeVersionError = error(
  invalid,
  "etcdserver: wrong downgrade target version format",
);
export const downgradeTargetError = error(invalid, "etcdserver: invalid downgrade target version");
export const unknownAlarmError = error(invalid, "etcdserver: unknown alarm type");

// Not etcd's words: it takes empty passwords, and has no limit on tries.
export const emptyPasswordError = error(invalid, "etcdserver: password is empty");
export const busyError = error(GrpcCode.ResourceExhausted, "etcdserver: too many requests");
/** As newer releases answer: Go's own words. */
export const longPasswordError = error(
  GrpcCode.Unknown,
  "bcrypt: password length exceeds 72 bytes",
);
export const verifyOnlyError = error(
  GrpcCode.Unknown,
  "auth: token signing attempted with verify-only key",
);

/** Unavailable up to 3.5, FailedPrecondition from 3.6: a client may try another endpoint. */
export const learnerError = error(
  GrpcCode.Unavailable,
  "etcdserver: rpc not supported for learner",
);

export function errorOf(failure: Failure): EtcdError {
  switch (failure.code) {
    case FailureCode.Kv:
      return kvErrorOf(failure.kvError);
    case FailureCode.Membership:
      return memberErrors[failure.memberError];
    default:
      return failures[failure.code];
  }
}

/** The voters this member misses, told beside "no leader" (an addition to etcd's contract). */
export function trailersOf(failure: Failure): Record<string, string> {
  return failure.missing.length === 0 ? {} : { "quorate-missing": failure.missing.join(",") };
}
