// What a case has in hand while it runs: clients of the server's members, keys of its own, and the ways
// to say what must come back.
import { equal, fail } from "node:assert/strict";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { etcd } from "@quorate/proto";
import { WireClient } from "../wire/wire-client.ts";
import type { Metadata, Method } from "../wire/wire-client.ts";
import type { Divergence } from "./divergences.ts";
import { errors } from "./errors.ts";
import type { ContractError, ErrorName } from "./errors.ts";
import type { Servers } from "./servers.ts";
import { speaks } from "./version.ts";
import type { Version } from "./version.ts";

export interface TrialOptions {
  readonly servers: Servers;
  readonly version: string;
  /** Told apart from every other case on the same servers. */
  readonly prefix: string;
  readonly divergences: ReadonlyMap<string, Divergence>;
}

export class Trial {
  readonly servers: Servers;
  readonly version: string;
  readonly prefix: string;
  /** A client of each member. */
  readonly members: readonly WireClient[];
  /** Ids of the divergences that this case met. */
  readonly met: Set<string>;
  /** Errors that some case has provoked. */
  static readonly provoked: Set<ErrorName> = new Set();
  readonly #divergences: ReadonlyMap<string, Divergence>;
  readonly #cleanups: (() => unknown)[];

  constructor({ servers, version, prefix, divergences }: TrialOptions) {
    this.servers = servers;
    this.version = version;
    this.prefix = prefix;
    this.members = servers.addresses.map((address) => new WireClient(address));
    this.met = new Set();
    this.#divergences = divergences;
    this.#cleanups = [];
  }

  /** A client of the first member. */
  get wire(): WireClient {
    return this.members[0]!;
  }

  key(name: string): Uint8Array {
    return bytes(this.prefix + name);
  }

  /** The end of the range of all this case's keys that begin so. */
  prefixEnd(name: string = ""): Uint8Array {
    const end = this.key(name);
    end[end.length - 1]! += 1;
    return end;
  }

  speaks(since: Version): boolean {
    return speaks(this.version, since);
  }

  /** What each of the two does where they are known to differ; the id stands in docs/DIVERGENCE.md. */
  differs<Value>(id: string, values: { readonly etcd: Value; readonly quorate: Value }): Value {
    if (!this.#divergences.has(id)) fail(`docs/DIVERGENCE.md lists no divergence ${id}`);
    this.met.add(id);
    return values[this.servers.kind];
  }

  /** Runs when the case ends, however it ends; last in, first out. */
  after(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  async ok<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    { at = 0, metadata = {} }: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const { end, message } = await this.members[at]!.unary(method, request, metadata);
    if (message === null) fail(`${method.name}: status ${end.code}: ${end.text}`);
    return message;
  }

  async refused<I extends DescMessage, O extends DescMessage>(
    name: ErrorName,
    method: Method<I, O>,
    request: MessageInitShape<I>,
    { at = 0, metadata = {} }: CallOptions = {},
  ): Promise<void> {
    const { end } = await this.members[at]!.unary(method, request, metadata);
    this.isError(name, end);
  }

  isError(
    name: ErrorName,
    end: { readonly code: number; readonly text: string },
    what?: string,
  ): void {
    const { text, code, codeBefore36 }: ContractError = errors[name];
    const expected = this.speaks("3.6") ? code : (codeBefore36 ?? code);
    const told = `${end.code} ${end.text}`;
    equal(told, `${expected} ${text}`, what === undefined ? what : `${what}: ${told}`);
    Trial.provoked.add(name);
  }

  /** The store's revision now. */
  async revision(): Promise<bigint> {
    const { header } = await this.ok(etcd.KV.method.range, { key: bytes("nothing") });
    return header!.revision;
  }

  /** Puts and answers the revision that it made. */
  async put(name: string, value: string = "", rest: PutRest = {}): Promise<bigint> {
    const request = { key: this.key(name), value: bytes(value), ...rest };
    return (await this.ok(etcd.KV.method.put, request)).header!.revision;
  }

  /** Nothing was written since the revision was `before`. */
  async unchanged(before: bigint): Promise<void> {
    equal(await this.revision(), before, "something was written");
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
    for (const client of this.members) client.close();
  }
}

export interface CallOptions {
  /** Which member is asked; the first unless said. */
  readonly at?: number;
  readonly metadata?: Metadata;
}

type PutRest = Omit<MessageInitShape<typeof etcd.PutRequestSchema>, "key" | "value" | "$typeName">;

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text));
}

export function text(of: Uint8Array): string {
  return Buffer.from(of).toString();
}
