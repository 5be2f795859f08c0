// Who there may be in a run with authentication, what they are called, which keys their rights are about,
// and the passwords that were ever asked for: what clients know of each other without asking a member.
import { CredentialKind, type Credential } from "@quorate/host";
import { type AuthView, type Permission, PermissionType, rootName } from "@quorate/kv";
import type { SimRandom } from "../sim-random.ts";

export const userNames: readonly string[] = ["u0", "u1", "u2", "u3"];
export const roleNames: readonly string[] = ["r0", "r1", "r2", "r3"];

const groups = 3;
const keysOfGroup = 4;
const types = [
  PermissionType.Read,
  PermissionType.Write,
  PermissionType.ReadWrite,
  PermissionType.ReadWrite,
];

export interface Span {
  readonly key: string;
  readonly rangeEnd: string;
}

/** Vouched for by the connection, as by a certificate. */
export function named(user: string): Credential {
  return { kind: CredentialKind.Name, user };
}

export const rootCredential: Credential = named(rootName);

export class AuthPeople {
  /** User → passwords, newest last. */
  readonly #passwords: Map<string, string[]>;
  #next: number;

  constructor() {
    this.#passwords = new Map();
    this.#next = 0;
  }

  /** A new password of somebody, for all that who asks for it knows; its hash. */
  newHash(user: string): string {
    const password = `p${(this.#next += 1)}`;
    this.#passwords.set(user, [...(this.#passwords.get(user) ?? []), password]);
    return hashOf(password);
  }

  /** Mostly the newest, sometimes one from before. */
  hashToTry(user: string, random: SimRandom): string {
    const passwords = this.#passwords.get(user) ?? ["none"];
    return hashOf(random.chance(0.8) ? passwords.at(-1)! : random.pick(passwords));
  }
}

/** Where a user has any right, as a member knows it. */
export function rightsOf(view: AuthView | null, user: string): readonly Span[] {
  const roles = view?.user(user)?.roles ?? [];
  return roles.flatMap((role) => view?.role(role)?.permissions ?? []);
}

/** Stands for bcrypt's: what it is of cannot be read from it. */
function hashOf(password: string): string {
  let hash = 0;
  for (const char of password) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return `$2a$10$${hash}`;
}

function drawKey(random: SimRandom): string {
  return `u/${random.below(groups)}/${random.below(keysOfGroup)}`;
}

/** A key, a group, part of one, all from a key on, or across groups. */
export function drawSpan(random: SimRandom): Span {
  const key = drawKey(random);
  const group = `u/${random.below(groups)}`;
  switch (random.below(6)) {
    case 0:
    case 1:
      return { key, rangeEnd: "" };
    case 2:
      return { key: `${group}/`, rangeEnd: `${group}0` };
    case 3: {
      const middle = `${group}/2`;
      return random.chance(0.5)
        ? { key: `${group}/`, rangeEnd: middle }
        : { key: middle, rangeEnd: `${group}0` };
    }
    case 4:
      return { key, rangeEnd: "\0" };
    default: {
      const end = drawKey(random);
      return key < end ? { key, rangeEnd: end } : { key, rangeEnd: `${key}\0` };
    }
  }
}

export function drawPermission(random: SimRandom): Permission {
  const type = random.pick(types);
  if (random.chance(0.15)) return { type, key: "lease/", rangeEnd: "lease0" };
  return { type, ...drawSpan(random) };
}
