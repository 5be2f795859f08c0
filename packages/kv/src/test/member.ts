// One state machine as a host drives it, without a host: checks at the edge, then the log.
import { nobody } from "../auth/identity.ts";
import type { Identity } from "../auth/identity.ts";
import { KvError } from "../kv-error.ts";
import type { KvReply } from "../kv-api.ts";
import { KvState } from "../kv-state.ts";
import { encodeLeaseGrant, encodeLeaseRevoke, RevokeCause } from "../lease/lease-commands.ts";
import { noLease } from "../lease/lease-id.ts";
import {
  decodeLeaseGrantRequest,
  decodeLeaseIdRequest,
  grantCommandOf,
} from "../lease/lease-requests.ts";
import { OperationKind } from "../operation.ts";
import type { RowStore } from "../rows.ts";
import { rangeKind } from "./requests.ts";
import type { Request } from "./requests.ts";

export const txnOpsMax = 5;
export const term = 2;

export interface MemberOptions {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly wallMs: number;
}

const defaults: MemberOptions = { clusterId: 0xdeadbeefn, memberId: 1n << 63n, wallMs: 1.7e12 };

export class Member {
  readonly kv: KvState;
  index: number;
  wallMs: number;

  constructor(rows: RowStore, options: MemberOptions = defaults) {
    const { clusterId, memberId } = options;
    this.kv = new KvState({ rows, clusterId, memberId, txnOpsMax, rangeBytesMax: 1 << 24 });
    this.index = 0;
    this.wallMs = options.wallMs;
  }

  /** Null bytes: refused, or nobody wanted the reply. */
  handle(request: Request, wantReply: boolean = true, headerTerm: number = term): KvReply {
    const { kind, bytes } = request;
    if (kind === rangeKind) return this.kv.range(bytes, headerTerm);
    if (kind === OperationKind.LeaseGrant) {
      const command = grantCommandOf(decodeLeaseGrantRequest(bytes)!, 2, () => noLease);
      if (typeof command === "number") return { error: command, bytes: null };
      return this.apply(kind, encodeLeaseGrant(command), wantReply, headerTerm);
    }
    if (kind === OperationKind.LeaseRevoke) {
      const command = { cause: RevokeCause.Client, id: decodeLeaseIdRequest(bytes)! };
      return this.apply(kind, encodeLeaseRevoke(command), wantReply, headerTerm);
    }
    const refusal = this.kv.check(kind, bytes);
    if (refusal !== KvError.None) return { error: refusal, bytes: null };
    if (kind === OperationKind.Txn && this.kv.isReadOnlyTxn(bytes)) {
      return this.kv.readTxn(bytes, headerTerm);
    }
    return this.apply(kind, bytes, wantReply, headerTerm);
  }

  apply(
    kind: OperationKind,
    bytes: Uint8Array,
    wantReply: boolean = true,
    headerTerm: number = term,
    identity: Identity = nobody,
  ): KvReply {
    const payload = this.kv.envelope(identity.user, identity.authRevision, bytes);
    this.wallMs += 3;
    return this.kv.apply(
      { kind, level: 1, index: ++this.index, term, wallMs: this.wallMs, payload },
      wantReply,
      headerTerm,
    );
  }
}
