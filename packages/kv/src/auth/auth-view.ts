// The auth table as everybody but apply sees it: who may do what, as this member has applied it.
import type { KvError } from "../kv-error.ts";
import type { TokenHash } from "./auth-command.ts";
import type { Identity } from "./identity.ts";
import type { Role, User } from "./user.ts";

export interface Token {
  readonly hash: TokenHash;
  readonly user: string;
  readonly ttlMs: number;
  /** Stamp of the first entry that may find it expired. */
  readonly expiresMs: number;
}

export interface TokensView {
  get(hash: TokenHash): Token | null;
  /** No token expires before it; Infinity: there is none. */
  readonly earliestExpiryMs: number;
}

export interface AuthView {
  readonly enabled: boolean;
  /**
   * Raised by every change of users, roles and rights, from 1; what was found out under an older one may
   * not hold any more. Whoever has checked something that lasts (a watch) asks again when it has changed.
   */
  readonly revision: number;

  readonly tokens: TokensView;

  // Who asks. Null: unknown, and maybe known to a member that has applied more.
  identityOfToken(token: TokenHash): Identity | null;
  /** As of now; for a name that something else vouches for. */
  identityOf(user: string): Identity;

  // May it? None: yes. While authentication is off, everybody may do everything.
  /** Has said who it is, and nothing has happened to that user since. */
  mayCall(identity: Identity): KvError;
  /** Read [key, rangeEnd) by etcd's rules for ranges, with the bounds as the request has them. */
  mayRange(identity: Identity, key: Uint8Array, rangeEnd: Uint8Array): KvError;
  /** The same, of latin1. */
  mayRangeText(identity: Identity, key: string, rangeEnd: string): KvError;
  /** To write. */
  mayWrite(identity: Identity, key: Uint8Array, rangeEnd: Uint8Array): KvError;
  /** Every one of these keys (latin1): of a lease. */
  mayWriteKeys(identity: Identity, keys: Iterable<string>): KvError;
  mayRangeKeys(identity: Identity, keys: Iterable<string>): KvError;
  /** Has the root role. */
  mayAdminister(identity: Identity): KvError;
  /** An administrator, or the user itself. */
  mayGetUser(identity: Identity, user: string): KvError;
  /** An administrator, or who has that role. */
  mayGetRole(identity: Identity, role: string): KvError;

  /** Equal texts: nothing has changed in what this user may do, and it need not say again who it is. */
  standingOf(user: string): string;

  user(name: string): User | null;
  role(name: string): Role | null;
  /** Sorted by their bytes, as etcd lists them. */
  userNames(): string[];
  roleNames(): string[];
}
