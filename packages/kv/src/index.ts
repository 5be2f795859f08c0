// The public face of the replicated state machine.
export { KvError } from "./kv-error.ts";
export type { AppliedOperation, Digest, HashKvTask, KvApi, KvOptions, KvReply } from "./kv-api.ts";
export { OperationKind } from "./operation.ts";
export { Row } from "./rows.ts";
export type { RowCursor, RowReader, RowRef, RowStore } from "./rows.ts";
export { TableRecord } from "./table.ts";
export type { ReplicatedTable } from "./table.ts";
