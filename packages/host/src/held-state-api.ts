// The applied state of one moment, held for whoever copies it out of this member while writes go on: a
// snapshot for etcd's clients. Its rows are those that etcd's own store would hold after a finished
// compaction: all above the compaction revision, and below it those that hold their key there.
import type { Alarm } from "@quorate/kv";
import type { RowWalk } from "@quorate/storage";

/** What a lease says beside its keys, which the rows name. */
export interface HeldLease {
  /** The id's two unsigned halves. */
  readonly high: number;
  readonly low: number;
  readonly ttlSeconds: number;
  /** 0: nothing was checkpointed, all of it remains. */
  readonly remainingTtlSeconds: number;
}

export interface HeldPermission {
  /** etcd's number: 0 read, 1 write, 2 both. */
  readonly type: number;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export interface HeldAuth {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: readonly {
    readonly name: string;
    readonly passwordHash: Uint8Array;
    readonly roles: readonly string[];
    readonly noPassword: boolean;
  }[];
  readonly roles: readonly {
    readonly name: string;
    readonly permissions: readonly HeldPermission[];
  }[];
}

export interface HeldMember {
  readonly memberId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface HeldState {
  /** The last entry that is in it. */
  readonly index: number;
  readonly revision: number;
  /** -1 before any compaction. */
  readonly compactRevision: number;
  readonly alarms: readonly Alarm[];
  readonly members: readonly HeldMember[];
  /** Ids, oldest first. */
  readonly removedMembers: readonly string[];
  readonly leases: readonly HeldLease[];
  readonly auth: HeldAuth;
  walkRows(): RowWalk;
  release(): void;
}
