// Holds the applied state of one moment (held-state-api.ts): waits until the row store knows which rows
// are dead, then takes all that belongs together between two entries.
import type { Row } from "@quorate/kv";
import { RowsDamaged } from "@quorate/storage";
import type { Env, HeldRows, RowWalk } from "@quorate/storage";
import { heldAuthOf } from "./auth/held-auth.ts";
import type { HeldState } from "./held-state-api.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { Running } from "./running.ts";
import { memberStatuses } from "./status.ts";

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
    leases: [...kv.leases.all()].map(({ high, low, grantedTtlSeconds, remainingTtlSeconds }) => ({
      high,
      low,
      ttlSeconds: grantedTtlSeconds,
      remainingTtlSeconds,
    })),
    auth: heldAuthOf(kv.auth),
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
