// The applied state of one moment, held for whoever copies it out of this member while writes go on: a
// snapshot for etcd's clients. Its rows are those that etcd's own store would hold after a finished
// compaction: all above the compaction revision, and below it those that hold their key there.
import type { Alarm, Row } from "@quorate/kv";
import { RowsDamaged } from "@quorate/storage";
import type { Env, HeldRows, RowWalk } from "@quorate/storage";
import type { MemberStatus } from "./host-api.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { Running } from "./running.ts";
import { memberStatuses } from "./status.ts";

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

export interface HeldState {
  /** The last entry that is in it. */
  readonly index: number;
  readonly revision: number;
  /** -1 before any compaction. */
  readonly compactRevision: number;
  readonly alarms: readonly Alarm[];
  readonly members: readonly MemberStatus[];
  /** Ids, oldest first. */
  readonly removedMembers: readonly string[];
  readonly leases: readonly HeldLease[];
  readonly auth: HeldAuth;
  walkRows(): RowWalk;
  release(): void;
}

/** What a running member's state consists of. */
type Source = Pick<Running, "kv" | "storage" | "pump">;

/** Versions that compaction has still to drop, looked at in one turn while a hold waits for that. */
const versionsPerTurn = 2000;

/** Null: there is no whole state here (any more). */
export function holdState(
  env: Env,
  source: Source | null,
  membership: MembershipTable,
  serving: () => boolean,
  done: (held: HeldState | null) => void,
): void {
  const attempt = (): void => {
    if (source === null || !serving() || !source.pump.scanned) return done(null);
    // Only then does the row store know which rows are dead. A hash that runs holds that up, and ends.
    if (source.kv.compacted) return done(holdNow(source, membership));
    source.kv.compactStep(versionsPerTurn);
    env.schedule(attempt);
  };
  env.schedule(attempt);
}

function holdNow({ kv, storage, pump }: Source, membership: MembershipTable): HeldState | null {
  const rows = storage.holdRows();
  if (rows === null) return null;
  const { revision, compactRevision, alarms } = kv;
  return {
    index: pump.applied,
    revision,
    compactRevision,
    alarms,
    members: memberStatuses(membership),
    removedMembers: membership.removedMembers,
    leases: [],
    auth: { enabled: false, revision: 1, users: [], roles: [] },
    walkRows: () => reachable(rows, compactRevision),
    release: () => rows.release(),
  };
}

/** Without tombstones up to the compaction revision, of which the row store keeps more than etcd's. */
function reachable(rows: HeldRows, compactRevision: number): RowWalk {
  const walk = rows.walk();
  const isReachable = (row: Row): boolean => !row.tombstone || row.main > compactRevision;
  return {
    next: () => {
      let row = walk.next();
      while (row !== null && !(row instanceof RowsDamaged) && !isReachable(row)) row = walk.next();
      return row;
    },
  };
}
