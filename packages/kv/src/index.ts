// The public face of the replicated state machine.
export { Alarm, decodeAlarms } from "./alarm/alarm.ts";
export { AlarmCause, alarmCauses } from "./alarm/alarm-causes.ts";
export { AlarmAction, decodeAlarmCommand, encodeAlarmCommand } from "./alarm/alarm-command.ts";
export type { AlarmCommand } from "./alarm/alarm-command.ts";
export { takesSpace } from "./alarm/restrictions.ts";
export { AlarmType, alarmNames, isAlarmType, isEtcdAlarm } from "./alarm/alarm-type.ts";
export {
  AuthAction,
  decodeAuthCommand,
  encodeAuthCommand,
  renewedTokensMax,
  tokenHashBytes,
} from "./auth/auth-command.ts";
export type { AuthCommand, TokenHash } from "./auth/auth-command.ts";
export type { LeaseKeys } from "./auth/auth-gate.ts";
export type { AuthView } from "./auth/auth-view.ts";
export { authProblem } from "./auth/imported-auth.ts";
export type { ImportedAuth } from "./auth/imported-auth.ts";
export { Identity, nobody } from "./auth/identity.ts";
export { isPermissionType, PermissionType, rootName } from "./auth/user.ts";
export type { Permission, Role, User } from "./auth/user.ts";
export { encodeDowngradeCommand } from "./downgrade/downgrade-command.ts";
export type { DowngradeCommand } from "./downgrade/downgrade-command.ts";
export { isInFlight } from "./downgrade/downgrade-table.ts";
export { checkRangeRequest } from "./edge-check.ts";
export { KvError } from "./kv-error.ts";
export { Lease, leasesMax, leaseTtlSecondsMax } from "./lease/lease.ts";
export {
  decodeLeaseCheckpoint,
  decodeLeaseGrant,
  decodeLeaseRevoke,
  encodeLeaseCheckpoint,
  encodeLeaseGrant,
  encodeLeaseRevoke,
  remaindersMax,
  RevokeCause,
} from "./lease/lease-commands.ts";
export type { LeaseRemainder } from "./lease/lease-commands.ts";
export { leaseIdHigh, leaseIdLow, leaseIdOf, leaseIdText, noLease } from "./lease/lease-id.ts";
export type { LeaseId } from "./lease/lease-id.ts";
export {
  decodeLeaseGrantRequest,
  decodeLeaseIdRequest,
  decodeLeaseTimeToLiveRequest,
  encodeLeaseGrantRequest,
  encodeLeaseIdRequest,
  encodeLeaseTimeToLiveRequest,
  grantCommandOf,
  isLeaseLeasesRequest,
} from "./lease/lease-requests.ts";
export type { LeaseGrantRequest, LeaseTimeToLiveRequest } from "./lease/lease-requests.ts";
export {
  decodeLeaseResponse,
  decodeLeasesResponse,
  encodeKeepAliveResponse,
  encodeLeasesResponse,
  encodeTimeToLiveResponse,
} from "./lease/lease-responses.ts";
export type { LeaseResponse } from "./lease/lease-responses.ts";
export type { LeaseObserver, LeaseView } from "./lease/lease-view.ts";
export { digestText } from "./digest.ts";
export type {
  AppliedOperation,
  Digest,
  HashKvTask,
  KvApi,
  KvOptions,
  KvReply,
  RangeTask,
} from "./kv-api.ts";
export { KvState } from "./kv-state.ts";
export { stateNumbersOf, withOtherTables } from "./other-tables.ts";
export { OperationKind } from "./operation.ts";
export type { ClientOperationKind } from "./operation.ts";
export { Row, ScannedRow } from "./rows.ts";
export type { RowCursor, RowHead, RowReader, RowRef, RowStore } from "./rows.ts";
export { rangeIsSerializable, txnIsSerializable } from "./serializable.ts";
export { StateImport } from "./state-import.ts";
export type { ImportNumbers } from "./state-import.ts";
export { TableRecord } from "./table.ts";
export type { ReplicatedTable } from "./table.ts";
export type { EventBatch, EventPart } from "./watch/event-batch.ts";
export { Watcher, WatchPlace } from "./watch/watcher.ts";
export type { WatchTarget } from "./watch/watcher.ts";
export type { WatchCounts, Watches } from "./watch/watches.ts";
export {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
} from "./wire/decode-request.ts";
export {
  decodeCompactionResponse,
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
} from "./wire/decode-response.ts";
export { decodeWatchResponse } from "./wire/decode-watch.ts";
export type { WatchEvent, WatchResponse } from "./wire/decode-watch.ts";
export { encodeHeaderIds } from "./wire/encode-response.ts";
export type { HeaderSource } from "./wire/encode-response.ts";
export { encodeWatchResponse } from "./wire/encode-watch.ts";
export type { WatchAnswer } from "./wire/encode-watch.ts";
export { ProtoWriter } from "./wire/proto-writer.ts";
export {
  decodeWatchRequest,
  encodeWatchRequest,
  WatchAsk,
  WatchRequest,
} from "./wire/watch-request.ts";
export {
  decodeEtcdRow,
  decodeRevisionKey,
  encodeRevisionKey,
  EtcdRowEncoder,
  etcdRowBytes,
} from "./wire/etcd-row.ts";
export {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from "./wire/encode-request.ts";
export {
  CompactionRequest,
  Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  OpType,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
  TxnRequest,
} from "./wire/request.ts";
export type { RequestOp } from "./wire/request.ts";
export type {
  CompactionResponse,
  DeleteRangeResponse,
  KeyValue,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
} from "./wire/response.ts";
