// What a workload is: a source of operations for closed-loop clients. One workload is one file; all
// its choices are drawn while the run goes on, never fixed at its start.
import type { RequestKind } from "@quorate/host";
import { rangeRequest } from "@quorate/host";
import {
  CompactionRequest,
  DeleteRangeRequest,
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
  OperationKind,
  PutRequest,
  RangeRequest,
  type TxnRequest,
} from "@quorate/kv";
import type { ClientOperation, ClientRequest } from "../client/history.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";

export interface PlannedOperation {
  readonly kind: RequestKind;
  readonly request: ClientRequest;
  readonly bytes: Uint8Array;
  readonly serializable: boolean;
}

/** What a workload does beside the operations of clients, again and again. */
export interface Background {
  readonly paceMinMs: number;
  readonly paceMaxMs: number;
  act(cluster: SimCluster, random: SimRandom): void;
}

export interface Workload {
  readonly name: string;
  readonly background: Background | null;
  next(client: number, random: SimRandom): PlannedOperation;
  /** A client heard OK: what it learns steers what it asks next. */
  heard(operation: ClientOperation): void;
}

export function planned(request: ClientRequest, serializable: boolean = false): PlannedOperation {
  if (request instanceof RangeRequest) {
    request.serializable = serializable;
    const bytes = encodeRangeRequest(request);
    return { kind: rangeRequest, request, bytes, serializable };
  }
  if (request instanceof PutRequest) {
    const bytes = encodePutRequest(request);
    return { kind: OperationKind.Put, request, bytes, serializable: false };
  }
  if (request instanceof DeleteRangeRequest) {
    const bytes = encodeDeleteRangeRequest(request);
    return { kind: OperationKind.DeleteRange, request, bytes, serializable: false };
  }
  if (request instanceof CompactionRequest) {
    const bytes = encodeCompactionRequest(request);
    return { kind: OperationKind.Compact, request, bytes, serializable: false };
  }
  return plannedTxn(request);
}

function plannedTxn(request: TxnRequest): PlannedOperation {
  const bytes = encodeTxnRequest(request);
  return { kind: OperationKind.Txn, request, bytes, serializable: false };
}
