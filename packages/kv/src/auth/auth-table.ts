// The replicated table of users, roles, rights and tokens (etcd's auth store), and whether it is in
// force. Changed by apply alone (apply-auth.ts decides, this keeps); what follows from it is derived when
// asked for, never kept by one member and not by another (etcd issue 14571).
import { ByteReader, ByteWriter, latin1Decode } from "@quorate/base";
import { Hasher } from "../digest.ts";
import { KvError } from "../kv-error.ts";
import type { ReplicatedTable } from "../table.ts";
import type { TokenHash } from "./auth-command.ts";
import { rolesMax, usersMax } from "./auth-limits.ts";
import type { AuthView } from "./auth-view.ts";
import { Identity } from "./identity.ts";
import { Rights } from "./rights.ts";
import { Tokens } from "./tokens.ts";
import { byBytes, readRole, readUser, writeRole, writeUser } from "./user.ts";
import type { Role, User } from "./user.ts";

const format = 1;
const PURPOSE_AUTH = 41;
/** etcd's first: 0 is that of nobody. */
const firstRevision = 1;

export class AuthTable implements ReplicatedTable, AuthView {
  readonly name: string;
  readonly tokens: Tokens;
  readonly #users: Map<string, User>;
  readonly #roles: Map<string, Role>;
  #enabled: boolean;
  #revision: number;
  /** Of the last time it was switched off: who said before who he is must say so again. */
  #floor: number;
  /** Of users and roles in a snapshot. */
  #bytes: number;
  // Derived, of the present revision: by user.
  readonly #rights: Map<string, Rights>;
  readonly #identities: Map<string, Identity>;
  /** Of everything but the tokens; null: to be made anew. */
  #digest: { readonly low: number; readonly high: number } | null;

  constructor() {
    this.name = "auth";
    this.tokens = new Tokens();
    this.#users = new Map();
    this.#roles = new Map();
    this.#enabled = false;
    this.#revision = firstRevision;
    this.#floor = 0;
    this.#bytes = 0;
    this.#rights = new Map();
    this.#identities = new Map();
    this.#digest = null;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  get revision(): number {
    return this.#revision;
  }

  get users(): number {
    return this.#users.size;
  }

  get roles(): number {
    return this.#roles.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  user(name: string): User | null {
    return this.#users.get(name) ?? null;
  }

  role(name: string): Role | null {
    return this.#roles.get(name) ?? null;
  }

  userNames(): string[] {
    return [...this.#users.keys()].sort(byBytes);
  }

  roleNames(): string[] {
    return [...this.#roles.keys()].sort(byBytes);
  }

  // ---- Who asks, and may it? ----------------------------------------------------------------------

  identityOfToken(token: TokenHash): Identity | null {
    const found = this.tokens.get(token);
    return found === null ? null : this.identityOf(found.user);
  }

  identityOf(user: string): Identity {
    let identity = this.#identities.get(user);
    if (identity === undefined) {
      identity = new Identity(user, this.#revision);
      // Names that no user has could be made up without end.
      if (this.#users.has(user)) this.#identities.set(user, identity);
    }
    return identity;
  }

  mayCall(identity: Identity): KvError {
    if (!this.#enabled) return KvError.None;
    if (identity.user === "" || identity.authRevision === 0) return KvError.UserEmpty;
    const user = this.#users.get(identity.user);
    if (user === undefined) return KvError.PermissionDenied;
    const isOld = identity.authRevision < Math.max(user.since, this.#floor);
    return isOld ? KvError.AuthOldRevision : KvError.None;
  }

  mayRange(identity: Identity, key: Uint8Array, rangeEnd: Uint8Array): KvError {
    if (!this.#enabled) return KvError.None;
    return this.mayRangeText(identity, latin1Decode(key), latin1Decode(rangeEnd));
  }

  mayRangeText(identity: Identity, key: string, rangeEnd: string): KvError {
    const rights = this.#rightsOf(identity);
    if (typeof rights === "number") return rights;
    return rights.mayRead(key, rangeEnd) ? KvError.None : KvError.PermissionDenied;
  }

  mayWrite(identity: Identity, key: Uint8Array, rangeEnd: Uint8Array): KvError {
    const rights = this.#rightsOf(identity);
    if (typeof rights === "number") return rights;
    const may = rights.mayWrite(latin1Decode(key), latin1Decode(rangeEnd));
    return may ? KvError.None : KvError.PermissionDenied;
  }

  mayWriteKeys(identity: Identity, keys: Iterable<string>): KvError {
    return this.#mayEach(identity, keys, (rights, key) => rights.mayWrite(key, ""));
  }

  mayRangeKeys(identity: Identity, keys: Iterable<string>): KvError {
    return this.#mayEach(identity, keys, (rights, key) => rights.mayRead(key, ""));
  }

  mayAdminister(identity: Identity): KvError {
    if (!this.#enabled) return KvError.None;
    if (identity.user === "") return KvError.UserEmpty;
    const user = this.#users.get(identity.user);
    // etcd's answer here, and only here.
    if (user === undefined) return KvError.UserNotFound;
    const error = this.mayCall(identity);
    if (error !== KvError.None) return error;
    return this.#rightsOfUser(user).isRoot ? KvError.None : KvError.PermissionDenied;
  }

  mayGetUser(identity: Identity, user: string): KvError {
    if (identity.user === user && user !== "") return this.mayCall(identity);
    return this.mayAdminister(identity);
  }

  mayGetRole(identity: Identity, role: string): KvError {
    const isOwn = this.#users.get(identity.user)?.roles.includes(role) ?? false;
    return isOwn ? this.mayCall(identity) : this.mayAdminister(identity);
  }

  standingOf(name: string): string {
    if (!this.#enabled) return "off";
    const user = this.#users.get(name);
    if (user === undefined) return "unknown";
    return `${user.since} ${this.#floor} ${this.#rightsOfUser(user).signature}`;
  }

  /** An error, in etcd's order; else the rights, of nobody in particular while it is not in force. */
  #rightsOf(identity: Identity): Rights | KvError {
    if (!this.#enabled) return everything;
    if (identity.authRevision === 0) return KvError.UserEmpty;
    if (identity.authRevision < this.#revision) return KvError.AuthOldRevision;
    const user = this.#users.get(identity.user);
    return user === undefined ? KvError.PermissionDenied : this.#rightsOfUser(user);
  }

  #rightsOfUser(user: User): Rights {
    let rights = this.#rights.get(user.name);
    if (rights === undefined) {
      rights = new Rights(user, (name) => this.#roles.get(name));
      this.#rights.set(user.name, rights);
    }
    return rights;
  }

  #mayEach(
    identity: Identity,
    keys: Iterable<string>,
    may: (rights: Rights, key: string) => boolean,
  ): KvError {
    const rights = this.#rightsOf(identity);
    if (typeof rights === "number") return rights;
    if (rights.isRoot) return KvError.None;
    for (const key of keys) {
      if (!may(rights, key)) return KvError.PermissionDenied;
    }
    return KvError.None;
  }

  /** Of an empty table, before anything is applied: what comes from elsewhere. */
  begin(enabled: boolean, revision: number): void {
    this.#enabled = enabled;
    this.#revision = revision;
    this.#changed();
  }

  // ---- Changes, by apply --------------------------------------------------------------------------

  /** Raises the revision, of which a new user or password is. */
  raiseRevision(): number {
    this.#revision += 1;
    this.#changed();
    return this.#revision;
  }

  enable(): void {
    this.#enabled = true;
    this.#changed();
  }

  disable(): void {
    this.#enabled = false;
    this.tokens.clear();
    this.#floor = this.raiseRevision();
  }

  putUser(user: User): void {
    this.#bytes += bytesOfUser(user) - bytesOfUser(this.user(user.name));
    this.#users.set(user.name, user);
    this.#changed();
  }

  deleteUser(name: string): void {
    this.#bytes -= bytesOfUser(this.user(name));
    this.#users.delete(name);
    this.#changed();
  }

  putRole(role: Role): void {
    this.#bytes += bytesOfRole(role) - bytesOfRole(this.role(role.name));
    this.#roles.set(role.name, role);
    this.#changed();
  }

  deleteRole(name: string): void {
    this.#bytes -= bytesOfRole(this.role(name));
    this.#roles.delete(name);
    this.#changed();
  }

  #changed(): void {
    this.#rights.clear();
    this.#identities.clear();
    this.#digest = null;
  }

  // ---- As a table -----------------------------------------------------------------------------------

  /** Zero before its first use: states from before there was one keep their digest. */
  digest(): { readonly low: number; readonly high: number } {
    if (this.#revision === firstRevision && !this.#enabled) return { low: 0, high: 0 };
    this.#digest ??= this.#digestOfRest();
    const { low, high } = this.#digest;
    const { digestLow, digestHigh } = this.tokens;
    return { low: (low ^ digestLow) >>> 0, high: (high ^ digestHigh) >>> 0 };
  }

  #digestOfRest(): { readonly low: number; readonly high: number } {
    const writer = new ByteWriter();
    this.#writeRest(writer);
    const hasher = new Hasher();
    hasher.reset(PURPOSE_AUTH);
    hasher.bytes(writer.view());
    hasher.finish();
    return { low: hasher.low, high: hasher.high };
  }

  #writeRest(writer: ByteWriter): void {
    writer.u8(this.#enabled ? 1 : 0);
    writer.varint(this.#revision);
    writer.varint(this.#floor);
    writer.varint(this.#users.size);
    for (const name of this.userNames()) writeUser(writer, this.#users.get(name)!);
    writer.varint(this.#roles.size);
    for (const name of this.roleNames()) writeRole(writer, this.#roles.get(name)!);
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter();
    writer.u8(format);
    this.#writeRest(writer);
    this.tokens.write(writer);
    return writer.take();
  }

  restore(bytes: Uint8Array): boolean {
    this.clear();
    const reader = new ByteReader(bytes);
    if (reader.u8() !== format) return false;
    this.#enabled = reader.u8() === 1;
    this.#revision = reader.varint();
    this.#floor = reader.varint();
    if (this.#revision < firstRevision) reader.fail();
    const users = reader.varint();
    if (users > usersMax) reader.fail();
    for (let left = users; left > 0 && reader.ok; left -= 1) this.putUser(readUser(reader));
    const roles = reader.varint();
    if (roles > rolesMax) reader.fail();
    for (let left = roles; left > 0 && reader.ok; left -= 1) this.putRole(readRole(reader));
    this.tokens.read(reader);
    return reader.ok && reader.done;
  }

  clear(): void {
    this.tokens.clear();
    this.#users.clear();
    this.#roles.clear();
    this.#enabled = false;
    this.#revision = firstRevision;
    this.#floor = 0;
    this.#bytes = 0;
    this.#changed();
  }
}

/** Of everybody while authentication is off. */
const everything = new Rights(
  { name: "", passwordHash: "", noPassword: true, roles: ["root"], since: 0 },
  () => undefined,
);

function bytesOfUser(user: User | null): number {
  if (user === null) return 0;
  const writer = new ByteWriter();
  writeUser(writer, user);
  return writer.length;
}

function bytesOfRole(role: Role | null): number {
  if (role === null) return 0;
  const writer = new ByteWriter();
  writeRole(writer, role);
  return writer.length;
}
