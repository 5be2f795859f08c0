// What one user may read and write: the permissions of its roles, merged, so that neighbouring ranges
// together cover what none of them covers alone (etcd's range_perm_cache). Derived from users and roles,
// and thrown away with every change of them.
import { KeySpans } from "../txn/key-spans.ts";
import { PermissionType, rootName } from "./user.ts";
import type { Permission, Role, User } from "./user.ts";

/** The end that means: everything from the key on (etcd's rule for ranges and permissions alike). */
const endless = "\0";

export class Rights {
  /** Of the root role: everything. */
  readonly isRoot: boolean;
  readonly #read: KeySpans;
  readonly #write: KeySpans;

  constructor(user: User, roleOf: (name: string) => Role | undefined) {
    const permissions = user.roles.flatMap((name) => roleOf(name)?.permissions ?? []);
    const spans = (except: PermissionType): KeySpans =>
      KeySpans.union(permissions.filter(({ type }) => type !== except).map(spansOf));
    this.isRoot = user.roles.includes(rootName);
    this.#read = spans(PermissionType.Write);
    this.#write = spans(PermissionType.Read);
  }

  /** Equal for equal rights. */
  get signature(): string {
    return this.isRoot ? "root" : `${this.#read.text} / ${this.#write.text}`;
  }

  /** `rangeEnd` as a request has it, before anybody has made anything else of it (CVE-2026-73499). */
  mayRead(key: string, rangeEnd: string): boolean {
    return this.isRoot || covers(this.#read, key, rangeEnd);
  }

  mayWrite(key: string, rangeEnd: string): boolean {
    return this.isRoot || covers(this.#write, key, rangeEnd);
  }
}

function spansOf({ key, rangeEnd }: Permission): KeySpans {
  if (rangeEnd === "") return KeySpans.ofKey(key);
  return KeySpans.of(key, rangeEnd === endless ? null : rangeEnd);
}

function covers(spans: KeySpans, key: string, rangeEnd: string): boolean {
  if (rangeEnd === "") return spans.contains(key);
  return spans.covers(key, rangeEnd === endless ? null : rangeEnd);
}
