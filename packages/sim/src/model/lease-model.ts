// The naive twin's leases: which there are, by which entry each was granted, and what became of it. What a
// lease means for keys is the twin's own business (kv-model.ts).
import { must } from "@quorate/base";
import {
  decodeLeaseGrant,
  decodeLeaseRevoke,
  KvError,
  OperationKind,
  RevokeCause,
} from "@quorate/kv";
import { numberOfLease } from "./lease-number.ts";

/** One lease from its grant to its end. */
export interface LeaseLife {
  readonly lease: number;
  /** Index of the entry. */
  readonly granted: number;
  readonly ttlSeconds: number;
  /** Null: it is there. */
  end: LeaseEnding | null;
}

export interface LeaseEnding {
  readonly index: number;
  readonly cause: RevokeCause;
  /** After it; that of the deletes, if there were any. */
  revision: number;
  deleted: number;
}

export interface LeaseEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

export function isLeaseKind(kind: number): boolean {
  const { LeaseGrant, LeaseRevoke, LeaseCheckpoint } = OperationKind;
  return kind === LeaseGrant || kind === LeaseRevoke || kind === LeaseCheckpoint;
}

export class LeaseModel {
  /** In the order of their grants. */
  readonly lives: LeaseLife[];
  readonly #present: Map<number, LeaseLife>;

  constructor() {
    this.lives = [];
    this.#present = new Map();
  }

  has(lease: number): boolean {
    return this.#present.has(lease);
  }

  grant({ index, payload }: LeaseEntry, at: number): void {
    const { id, ttlSeconds } = must(decodeLeaseGrant(payload, at), "a committed grant");
    const lease = numberOfLease(id);
    if (this.#present.has(lease)) return;
    const life = { lease, granted: index, ttlSeconds, end: null };
    this.lives.push(life);
    this.#present.set(lease, life);
  }

  /** The life that ends by it; null: it means none that is there. */
  revoke({ index, term, payload }: LeaseEntry, at: number): LeaseLife | null {
    const command = must(decodeLeaseRevoke(payload, at), "a committed revoke");
    const life = this.#present.get(numberOfLease(command.id)) ?? null;
    if (life === null) return null;
    const { cause } = command;
    if (cause === RevokeCause.Expired) {
      if (command.grantIndex !== life.granted || command.term !== term) return null;
    }
    this.#present.delete(life.lease);
    life.end = { index, cause, revision: 0, deleted: 0 };
    return life;
  }
}

/** What active alarms refuse of leases. */
export function refusedLease(kind: number, noSpace: boolean, corrupt: boolean): KvError {
  if (kind === OperationKind.LeaseCheckpoint) return KvError.None;
  if (corrupt) return KvError.Corrupt;
  return noSpace && kind === OperationKind.LeaseGrant ? KvError.NoSpace : KvError.None;
}
