// Rights to keys while authentication is on: of every operation, in transactions, of leases and of
// watchers.
import { deepEqual, equal } from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { etcd } from "@quorate/proto";
import { allRefused, allServed, AuthSetup } from "../suite/auth-setup.ts";
import type { Asking } from "../suite/auth-setup.ts";
import type { Case } from "../suite/case.ts";
import { errors } from "../suite/errors.ts";
import { bytes } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";
import { Watching } from "../suite/watching.ts";
import type { Metadata } from "../wire/wire-client.ts";

const { range, put, deleteRange, txn } = etcd.KV.method;
const { leaseGrant, leaseRevoke, leaseTimeToLive } = etcd.Lease.method;

type Op = MessageInitShape<typeof etcd.RequestOpSchema>;
type Txn = MessageInitShape<typeof etcd.TxnRequestSchema>;

/** Requests by the names of keys, as this case's al makes them. */
class Keys {
  readonly trial: Trial;
  readonly setup: AuthSetup;

  constructor(trial: Trial) {
    this.trial = trial;
    this.setup = new AuthSetup(trial);
  }

  /** Somebody who may read a and f..h, write w, and do both in b..d and d..f. */
  async al(): Promise<Metadata> {
    const { setup } = this;
    await setup.role("r", ["READ", "a"], ["READWRITE", "b", "d"], ["WRITE", "w"]);
    await setup.role("s", ["READWRITE", "d", "f"], ["READ", "f", "h"]);
    await setup.user("al", "r", "s");
    await setup.enable();
    return setup.login("al");
  }

  range(from: string, to?: string): { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array } {
    const key = this.trial.key(from);
    return to === undefined ? { key } : { key, rangeEnd: this.trial.key(to) };
  }

  get(from: string, to?: string): Asking {
    return this.setup.ask(range, this.range(from, to));
  }

  put(name: string, rest: Omit<MessageInitShape<typeof etcd.PutRequestSchema>, "$typeName"> = {}) {
    return this.setup.ask(put, { ...this.range(name), ...rest });
  }

  delete(from: string, to?: string, prevKv: boolean = false): Asking {
    return this.setup.ask(deleteRange, { ...this.range(from, to), prevKv });
  }

  txn(request: Txn): Asking {
    return this.setup.ask(txn, request);
  }

  putOp(name: string, prevKv: boolean = false): Op {
    return { request: { case: "requestPut", value: { ...this.range(name), prevKv } } };
  }

  getOp(from: string, to?: string): Op {
    return { request: { case: "requestRange", value: this.range(from, to) } };
  }

  deleteOp(from: string, to?: string, prevKv: boolean = false): Op {
    const value = { ...this.range(from, to), prevKv };
    return { request: { case: "requestDeleteRange", value } };
  }
}

function inner(op: Op): Op {
  return { request: { case: "requestTxn", value: { success: [op] } } };
}

export const authRightsCases: readonly Case[] = [
  {
    rule: "E-A3",
    name: "to read, to write, both; ranges that meet are one; a previous value is read",
    run: async (trial) => {
      const keys = new Keys(trial);
      const al = await keys.al();
      const everything = { key: bytes("\0"), rangeEnd: bytes("\0") };
      await allServed(al, [
        keys.get("a"),
        keys.get("b"),
        keys.get("b", "d"),
        keys.get("b", "h"),
        keys.get("c", "g"),
        keys.setup.ask(range, { ...keys.range("a"), serializable: true }),
        keys.put("b"),
        keys.put("b", { prevKv: true }),
        keys.put("w"),
        keys.delete("w"),
        keys.delete("b", "f", true),
      ]);
      await allRefused(trial, "permissionDenied", al, [
        keys.get("x"),
        keys.get("w"),
        keys.get("a", "b"),
        keys.get("a", "c"),
        keys.get("b", "i"),
        keys.setup.ask(range, { ...keys.range("b"), rangeEnd: bytes("\0") }),
        keys.setup.ask(range, everything),
        keys.setup.ask(range, { ...keys.range("x"), serializable: true }),
        keys.setup.ask(range, { ...keys.range("x"), countOnly: true }),
        keys.setup.ask(range, { ...keys.range("x"), keysOnly: true }),
        keys.put("a"),
        keys.put("f"),
        keys.put("w", { prevKv: true }),
        keys.put("x"),
        keys.delete("a"),
        keys.delete("b", "h"),
        keys.delete("w", undefined, true),
        keys.setup.ask(deleteRange, everything),
      ]);
      await allServed(keys.setup.root, [keys.get("x"), keys.put("x"), keys.delete("a", "y", true)]);
    },
  },
  {
    rule: "E-A3",
    name: "transactions: every compare and every operation, also in the branch that does not run",
    run: async (trial) => {
      const keys = new Keys(trial);
      const al = await keys.al();
      const before = (await trial.ok(range, keys.range("x"), { metadata: keys.setup.root }))
        .header!;
      await allRefused(trial, "permissionDenied", al, [
        keys.txn({ compare: [keys.range("x")] }),
        keys.txn({ compare: [keys.range("w")], success: [keys.getOp("a")] }),
        keys.txn({ success: [keys.getOp("x")] }),
        keys.txn({ success: [keys.putOp("b"), keys.putOp("a")] }),
        keys.txn({ failure: [keys.putOp("a")] }),
        keys.txn({ failure: [keys.getOp("b", "i")] }),
        keys.txn({ failure: [keys.deleteOp("a")] }),
        keys.txn({ success: [keys.deleteOp("b", "h")] }),
        keys.txn({ success: [keys.deleteOp("w", undefined, true)] }),
      ]);
      const after = await trial.ok(range, keys.range("x"), { metadata: keys.setup.root });
      equal(after.header!.revision, before.revision, "something was written");
      await allServed(al, [
        keys.txn({ compare: [keys.range("a")], success: [keys.putOp("w"), keys.getOp("b", "h")] }),
        keys.txn({ success: [keys.deleteOp("b", "f", true)], failure: [keys.putOp("e", true)] }),
        keys.txn({ success: [inner(keys.putOp("b")), inner(keys.getOp("a"))] }),
      ]);
    },
  },
  {
    rule: "E-A3",
    name: "transactions: an inner one, and the previous value of a put",
    run: async (trial) => {
      const keys = new Keys(trial);
      const al = await keys.al();
      for (const { what, by } of [
        keys.txn({ failure: [inner(keys.putOp("a"))] }),
        keys.txn({ success: [inner(keys.getOp("x"))] }),
        keys.txn({ success: [keys.putOp("w", true)] }),
      ]) {
        const { end } = await by(al);
        const isServed = trial.differs("X-inner-rights", { etcd: true, quorate: false });
        if (isServed) equal(end.code, 0, `${what}: ${end.text}`);
        else trial.isError("permissionDenied", end, what);
      }
    },
  },
  {
    rule: "E-A3",
    name: "leases: attaching and revoking take the right to all its keys, asking for keys to read them",
    run: async (trial) => {
      const keys = new Keys(trial);
      const al = await keys.al();
      const { root } = keys.setup;
      const { ID: roots } = await trial.ok(leaseGrant, { TTL: 60n }, { metadata: root });
      await trial.ok(put, { ...keys.range("x"), lease: roots }, { metadata: root });
      const { ID: als } = await trial.ok(leaseGrant, { TTL: 60n }, { metadata: al });
      await allRefused(trial, "permissionDenied", al, [
        keys.put("b", { lease: roots }),
        keys.setup.ask(leaseRevoke, { ID: roots }),
      ]);
      const asked = await keys.setup.ask(leaseTimeToLive, { ID: roots, keys: true }).by(al);
      const isTold = trial.differs("X-lease-keys", { etcd: true, quorate: false });
      if (isTold) equal(asked.end.code, 0, asked.end.text);
      else trial.isError("permissionDenied", asked.end);
      await allServed(al, [
        keys.setup.ask(leaseTimeToLive, { ID: roots }),
        keys.put("b", { lease: als }),
        keys.put("c", { lease: als }),
        keys.setup.ask(leaseTimeToLive, { ID: als, keys: true }),
        keys.setup.ask(leaseRevoke, { ID: als }),
      ]);
      const { count } = await trial.ok(range, keys.range("b", "d"), { metadata: al });
      equal(count, 0n);
      await allServed(root, [keys.setup.ask(leaseRevoke, { ID: roots })]);
    },
  },
  {
    rule: "E-A3",
    name: "what is granted, or taken away, counts at once, with the token from before",
    run: async (trial) => {
      const keys = new Keys(trial);
      const { setup } = keys;
      const al = await keys.al();
      await setup.permit("r", ["READ", "x"]);
      await allServed(al, [keys.get("x")]);
      await setup.forbid("r", "x");
      await allRefused(trial, "permissionDenied", al, [keys.get("x")]);
      const [name, role] = [setup.name("al"), setup.name("s")];
      const { method } = etcd.Auth;
      await trial.ok(method.userRevokeRole, { name, role }, { metadata: setup.root });
      await allRefused(trial, "permissionDenied", al, [keys.get("d"), keys.get("b", "e")]);
      await trial.ok(method.userGrantRole, { user: name, role }, { metadata: setup.root });
      await allServed(al, [keys.get("d"), keys.get("b", "e")]);
      await trial.ok(method.roleDelete, { role }, { metadata: setup.root });
      await allRefused(trial, "permissionDenied", al, [keys.get("d")]);
      await trial.ok(method.userGrantRole, { user: name, role: "root" }, { metadata: setup.root });
      await allServed(al, [keys.get("x"), setup.ask(method.userList, {})]);
    },
  },
  {
    rule: "E-W3",
    name: "a watcher of what nobody has granted is cancelled as it is created; the stream goes on",
    run: async (trial) => {
      const keys = new Keys(trial);
      const al = await keys.al();
      const { code, text } = errors.permissionDenied;
      equal(code, 7);
      const watching = new Watching(trial, 0, al);
      for (const value of [keys.range("x"), keys.range("a", "i"), keys.range("w"), {}]) {
        watching.ask(value);
        const { created, canceled, watchId, cancelReason, events } = await watching.next();
        deepEqual(
          [created, canceled, watchId, cancelReason, events],
          [true, true, -1n, `rpc error: code = PermissionDenied desc = ${text}`, []],
        );
      }
      await watching.create(keys.range("b", "h"));
      const { header } = await trial.ok(put, keys.range("b"), { metadata: al });
      deepEqual(await watching.events(1), [`put b= @${header!.revision}`]);
      const nobodys = new Watching(trial);
      nobodys.ask(keys.range("a"));
      const { created, canceled, watchId } = await nobodys.next();
      deepEqual([created, canceled, watchId], [true, true, -1n]);
    },
  },
  {
    rule: "E-W3",
    name: "a watcher whose right is taken away hears no more",
    run: async (trial) => {
      const keys = new Keys(trial);
      const al = await keys.al();
      const watching = new Watching(trial, 0, al);
      await watching.create(keys.range("b", "c"));
      await trial.ok(put, keys.range("b"), { metadata: keys.setup.root });
      equal((await watching.next()).events.length, 1);
      await keys.setup.forbid("r", "b", "d");
      await trial.ok(put, keys.range("b"), { metadata: keys.setup.root });
      const { canceled, events, cancelReason } = await watching.next();
      const told = trial.differs("X-watch-rights", {
        etcd: [false, 1, ""],
        quorate: [
          true,
          0,
          `rpc error: code = PermissionDenied desc = ${errors.permissionDenied.text}`,
        ],
      });
      deepEqual([canceled, events.length, cancelReason], told);
    },
  },
];
