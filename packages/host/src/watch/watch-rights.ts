// Whether callers may watch what they ask for, and whether they still may when users, roles or rights have
// changed: asked before the events of that change's turn are told, so that nobody hears of anything that
// was written after the right to it was gone (A2).
import { KvError } from "@quorate/kv";
import type { AuthView, Identity } from "@quorate/kv";

/** What etcd says to a watcher that it cancels: errors as Go's gRPC prints them. */
const reasons: ReadonlyMap<KvError, string> = new Map([
  [KvError.UserEmpty, "rpc error: code = InvalidArgument desc = etcdserver: user name is empty"],
  [
    KvError.AuthOldRevision,
    "rpc error: code = InvalidArgument desc = etcdserver: revision of auth store is old",
  ],
  [
    KvError.InvalidAuthToken,
    "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
  ],
]);
const deniedReason = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";

/** Why a watcher is cancelled; empty: it is not. */
export function reasonOf(error: KvError): string {
  return error === KvError.None ? "" : (reasons.get(error) ?? deniedReason);
}

export class WatchRights {
  readonly #auth: AuthView;
  #enabled: boolean;
  #revision: number;
  /** How users stood at the last change, and at the one before. No more entries than users that watch. */
  #standings: Map<string, string>;
  #standingsBefore: Map<string, string>;

  constructor(auth: AuthView) {
    this.#auth = auth;
    this.#enabled = auth.enabled;
    this.#revision = auth.revision;
    this.#standings = new Map();
    this.#standingsBefore = new Map();
  }

  /** Since it was asked last. Then every watcher is to be looked at. */
  changed(): boolean {
    const { enabled, revision } = this.#auth;
    if (enabled === this.#enabled && revision === this.#revision) return false;
    this.#enabled = enabled;
    this.#revision = revision;
    this.#standingsBefore = this.#standings;
    this.#standings = new Map();
    return true;
  }

  /** At the last change: false when nothing in it was about this user. */
  concerns({ user }: Identity): boolean {
    let standing = this.#standings.get(user);
    if (standing === undefined) {
      standing = this.#auth.standingOf(user);
      this.#standings.set(user, standing);
    }
    return standing !== this.#standingsBefore.get(user);
  }

  /** Latin1, as the request has them. */
  mayBegin(identity: Identity, key: string, rangeEnd: string): KvError {
    return this.#auth.mayRangeText(identity, key, rangeEnd);
  }

  /** By who has begun as this identity. */
  mayGoOn(identity: Identity, key: string, rangeEnd: string): KvError {
    const error = this.#auth.mayCall(identity);
    if (error !== KvError.None) return error;
    return this.#auth.mayRangeText(this.#auth.identityOf(identity.user), key, rangeEnd);
  }
}
