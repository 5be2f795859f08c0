// One state of the naive twin's users and roles, from one change to the next: what anybody may do in it,
// by looking through all permissions each time. Nothing in it ever changes.
import { type Identity, KvError, type Permission, PermissionType, rootName } from "@quorate/kv";

export interface UserModel {
  readonly passwordHash: string;
  readonly noPassword: boolean;
  readonly roles: readonly string[];
  /** Auth revision that its password is of. */
  readonly since: number;
}

export interface AuthFields {
  /** Of the entry that made it. */
  readonly index: number;
  readonly enabled: boolean;
  readonly revision: number;
  /** Auth revision of the last time that it was switched off. */
  readonly floor: number;
  readonly users: ReadonlyMap<string, UserModel>;
  readonly roles: ReadonlyMap<string, readonly Permission[]>;
}

/** A key, or the keys up to an end: "" the key alone, "\0" all from it on. */
export interface KeyNeed {
  readonly write: boolean;
  readonly key: string;
  readonly rangeEnd: string;
}

const endless = "\0";

export class AuthStateModel implements AuthFields {
  readonly index: number;
  readonly enabled: boolean;
  readonly revision: number;
  readonly floor: number;
  readonly users: AuthFields["users"];
  readonly roles: AuthFields["roles"];

  constructor(fields: AuthFields) {
    this.index = fields.index;
    this.enabled = fields.enabled;
    this.revision = fields.revision;
    this.floor = fields.floor;
    this.users = fields.users;
    this.roles = fields.roles;
  }

  with(changes: Partial<AuthFields>): AuthStateModel {
    const { index, enabled, revision, floor, users, roles } = this;
    return new AuthStateModel({ index, enabled, revision, floor, users, roles, ...changes });
  }

  /** Is who it says it is, still. */
  mayCall({ user, authRevision }: Identity): KvError {
    if (!this.enabled) return KvError.None;
    if (user === "" || authRevision === 0) return KvError.UserEmpty;
    const known = this.users.get(user);
    if (known === undefined) return KvError.PermissionDenied;
    const isOld = authRevision < known.since || authRevision < this.floor;
    return isOld ? KvError.AuthOldRevision : KvError.None;
  }

  mayAdminister(identity: Identity): KvError {
    if (!this.enabled) return KvError.None;
    if (identity.user === "") return KvError.UserEmpty;
    const known = this.users.get(identity.user);
    if (known === undefined) return KvError.UserNotFound;
    const error = this.mayCall(identity);
    if (error !== KvError.None) return error;
    return known.roles.includes(rootName) ? KvError.None : KvError.PermissionDenied;
  }

  /** Reads and writes of keys: nothing may have changed since it was found out who asks. */
  mayUse({ user, authRevision }: Identity, needs: readonly KeyNeed[]): KvError {
    if (!this.enabled) return KvError.None;
    if (authRevision === 0) return KvError.UserEmpty;
    if (authRevision < this.revision) return KvError.AuthOldRevision;
    const known = this.users.get(user);
    const may = known !== undefined && needs.every((need) => this.#has(known, need));
    return may ? KvError.None : KvError.PermissionDenied;
  }

  /** Of a watcher that has begun as this identity: only who it is must still hold. */
  mayGoOn(identity: Identity, need: KeyNeed): KvError {
    const error = this.mayCall(identity);
    if (error !== KvError.None || !this.enabled) return error;
    const known = this.users.get(identity.user)!;
    return this.#has(known, need) ? KvError.None : KvError.PermissionDenied;
  }

  /** Goes from permission to permission until the end of what is needed. */
  #has({ roles }: UserModel, { write, key, rangeEnd }: KeyNeed): boolean {
    if (roles.includes(rootName)) return true;
    const other = write ? PermissionType.Read : PermissionType.Write;
    const held = roles
      .flatMap((role) => this.roles.get(role) ?? [])
      .filter(({ type }) => type !== other);
    const end = rangeEnd === "" ? `${key}\0` : rangeEnd === endless ? null : rangeEnd;
    let at = key;
    for (;;) {
      const ends = held.filter((one) => one.key <= at).map(endOf);
      if (ends.includes(null)) return true;
      const next = ends.reduce<string>((most, one) => (one! > most ? one! : most), "");
      if (next <= at) return false;
      if (end !== null && next >= end) return true;
      at = next;
    }
  }
}

/** Exclusive; null: none. */
function endOf({ key, rangeEnd }: Permission): string | null {
  if (rangeEnd === endless) return null;
  return rangeEnd === "" ? `${key}\0` : rangeEnd;
}
