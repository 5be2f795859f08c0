// Users, roles and rights in the hands of a case: named as no other case's are, and with authentication
// off again when it ends.
import { equal } from "node:assert/strict";
import { create, toJsonString } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { auth, etcd } from "@quorate/proto";
import type { CallEnd } from "../wire/wire-call.ts";
import type { Metadata, Method } from "../wire/wire-client.ts";
import type { ErrorName } from "./errors.ts";
import type { Trial } from "./trial.ts";

const calls = etcd.Auth.method;
const types = auth.Permission_Type;

/** What a role may do with one of the case's keys, or from one up to another; "" as an end: all of them. */
export type Permit = readonly [right: keyof typeof types, from: string, end?: string];

/** Long enough for nobody to be warned. */
export function passwordOf(name: string): string {
  return `the password of ${name}`;
}

export class AuthSetup {
  readonly trial: Trial;
  /** With what root's calls go; nothing while authentication is off. */
  root: Metadata;

  constructor(trial: Trial) {
    this.trial = trial;
    this.root = {};
  }

  /** Of a user or a role of this case. */
  name(short: string): string {
    return short === "root" ? short : `${this.trial.prefix}${short}`;
  }

  async role(short: string, ...permits: readonly Permit[]): Promise<void> {
    const name = this.name(short);
    await this.trial.ok(calls.roleAdd, { name }, { metadata: this.root });
    for (const permit of permits) await this.permit(short, permit);
  }

  async permit(role: string, [right, from, end]: Permit): Promise<void> {
    const key = this.trial.key(from);
    const perm = { permType: types[right], key, ...(end === undefined ? {} : this.#to(end)) };
    await this.trial.ok(
      calls.roleGrantPermission,
      { name: this.name(role), perm },
      { metadata: this.root },
    );
  }

  async forbid(role: string, from: string, end?: string): Promise<void> {
    const range = { key: this.trial.key(from), ...(end === undefined ? {} : this.#to(end)) };
    const request = { role: this.name(role), ...range };
    await this.trial.ok(calls.roleRevokePermission, request, { metadata: this.root });
  }

  async user(short: string, ...roles: readonly string[]): Promise<void> {
    const name = this.name(short);
    const metadata = this.root;
    await this.trial.ok(calls.userAdd, { name, password: passwordOf(short) }, { metadata });
    for (const role of roles) {
      await this.trial.ok(calls.userGrantRole, { user: name, role: this.name(role) }, { metadata });
    }
  }

  /** With a user root; off again, and without it, when the case ends. */
  async enable(): Promise<void> {
    await this.user("root", "root");
    this.trial.after(() => this.trial.wire.unary(calls.userDelete, { name: "root" }));
    await this.trial.ok(calls.authEnable, {});
    this.trial.after(() => this.trial.wire.unary(calls.authDisable, {}, this.root));
    this.root = await this.login("root");
  }

  /** What the calls of this user bring along. */
  async login(short: string, password: string = passwordOf(short)): Promise<Metadata> {
    const request = { name: this.name(short), password };
    return { token: (await this.trial.ok(calls.authenticate, request)).token };
  }

  ask<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
  ): Asking {
    const told = toJsonString(method.input, create(method.input, request));
    return {
      what: `${method.name} ${told}`,
      by: (metadata) => this.trial.wire.unary(method, request, metadata),
    };
  }

  #to(end: string): { readonly rangeEnd: Uint8Array } {
    return { rangeEnd: end === "" ? this.trial.prefixEnd() : this.trial.key(end) };
  }
}

/** A call that is yet to be made, by whoever. */
export interface Asking {
  readonly what: string;
  readonly by: (metadata: Metadata) => Promise<{ readonly end: CallEnd }>;
}

export async function allServed(metadata: Metadata, askings: readonly Asking[]): Promise<void> {
  for (const { what, by } of askings) {
    const { end } = await by(metadata);
    equal(end.code, 0, `${what}: ${end.code} ${end.text}`);
  }
}

export async function allRefused(
  trial: Trial,
  error: ErrorName,
  metadata: Metadata,
  askings: readonly Asking[],
): Promise<void> {
  for (const { what, by } of askings) trial.isError(error, (await by(metadata)).end, what);
}
