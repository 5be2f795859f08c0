// The Auth service while authentication is on: who asks, and what takes an administrator. Each case turns
// it on, and off again when it ends.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { etcd } from "@quorate/proto";
import { allRefused, allServed, AuthSetup, passwordOf } from "../suite/auth-setup.ts";
import type { Case } from "../suite/case.ts";

const { range, put, deleteRange, txn, compact } = etcd.KV.method;
const { leaseGrant } = etcd.Lease.method;
const { status, alarm, hash, hashKV, defragment } = etcd.Maintenance.method;
const { memberList, memberAdd } = etcd.Cluster.method;
const calls = etcd.Auth.method;

/** In the form of etcd's simple tokens: of an entry that is applied. */
const stranger = { token: "abcdefghijklmnop.1" };

/** A key of its own, from which both servers take the public half as well. */
function signedTokens(folder: string): string[] {
  const file = join(folder, "tokens.pem");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(file, privateKey.export({ format: "pem", type: "pkcs8" }));
  return ["--bcrypt-cost=4", `--auth-token=jwt,sign-method=ES256,priv-key=${file},ttl=10m`];
}

export const authOnCases: readonly Case[] = [
  {
    rule: "E-A1",
    name: "root keeps its role and stays, and so does the role; others may go",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.role("r");
      await setup.user("al", "r", "root");
      await setup.enable();
      const { root } = setup;
      await allRefused(trial, "invalidAuthManagement", root, [
        setup.ask(calls.userDelete, { name: "root" }),
        setup.ask(calls.userRevokeRole, { name: "root", role: "root" }),
        setup.ask(calls.roleDelete, { role: "root" }),
      ]);
      const { roles } = await trial.ok(calls.userGet, { name: "root" }, { metadata: root });
      deepEqual(roles, ["root"]);
      await allServed(root, [
        setup.ask(calls.authEnable, {}),
        setup.ask(calls.userRevokeRole, { name: setup.name("al"), role: "root" }),
        setup.ask(calls.roleDelete, { role: setup.name("r") }),
        setup.ask(calls.userDelete, { name: setup.name("al") }),
      ]);
    },
  },
  {
    rule: "E-A1",
    name: "turning it off ends all tokens, and everybody may everything",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.enable();
      const metadata = setup.root;
      const key = trial.key("a");
      await trial.ok(range, { key }, { metadata });
      await trial.ok(calls.authDisable, {}, { metadata });
      await trial.ok(put, { key });
      await trial.ok(calls.authEnable, {});
      setup.root = await setup.login("root");
      await trial.refused("invalidAuthToken", range, { key }, { metadata });
      await trial.refused("userEmpty", range, { key });
    },
  },
  {
    rule: "E-A4",
    name: "nobody, a token that is none, a wrong password, a user that there is not",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.enable();
      const key = trial.key("a");
      const name = setup.name("al");
      const askings = [
        setup.ask(range, { key }),
        setup.ask(range, { key, serializable: true }),
        setup.ask(put, { key }),
        setup.ask(deleteRange, { key }),
        setup.ask(txn, { success: [{ request: { case: "requestRange", value: { key } } }] }),
        setup.ask(calls.userAdd, { name, password: passwordOf("al") }),
        setup.ask(calls.userList, {}),
        setup.ask(calls.roleAdd, { name }),
        setup.ask(calls.authDisable, {}),
      ];
      await allRefused(trial, "userEmpty", {}, askings);
      await allRefused(trial, "invalidAuthToken", stranger, askings);
      const password = passwordOf("nobody");
      await allRefused(trial, "authFailed", {}, [
        setup.ask(calls.authenticate, { name: "root", password }),
        setup.ask(calls.authenticate, { name: "root" }),
        setup.ask(calls.authenticate, { name, password }),
        setup.ask(calls.authenticate, {}),
      ]);
    },
  },
  {
    rule: "E-A4",
    name: "each login has a token of its own, which is taken in either header",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.enable();
      const { token = "" } = setup.root;
      const key = trial.key("a");
      const { header } = await trial.ok(range, { key }, { metadata: { authorization: token } });
      const request = { name: "root", password: passwordOf("root") };
      const again = await trial.ok(calls.authenticate, request);
      ok(again.token !== "" && again.token !== token);
      deepEqual(again.header, header);
      for (const each of [token, again.token]) {
        await trial.ok(range, { key }, { metadata: { token: each } });
      }
    },
  },
  {
    rule: "E-A4",
    name: "a password for a user that has none",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      const name = setup.name("bare");
      await trial.ok(calls.userAdd, { name, options: { noPassword: true } });
      await setup.enable();
      const { end } = await trial.wire.unary(calls.authenticate, { name, password: "a password" });
      const isTold = trial.differs("X-no-password", { etcd: true, quorate: false });
      if (!isTold) return trial.isError("authFailed", end);
      equal(end.code, 2);
      match(end.text, /password/);
    },
  },
  {
    rule: "E-A4",
    name: "another password ends the old one and the tokens; a user that goes takes its own along",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.role("r", ["READWRITE", "a"]);
      await setup.user("al", "r");
      await setup.enable();
      const { root } = setup;
      const name = setup.name("al");
      const key = trial.key("a");
      const before = await setup.login("al");
      await trial.ok(put, { key }, { metadata: before });
      const password = "another password";
      await trial.ok(calls.userChangePassword, { name, password }, { metadata: root });
      await trial.refused("invalidAuthToken", range, { key }, { metadata: before });
      await trial.refused("authFailed", calls.authenticate, { name, password: passwordOf("al") });
      const after = await setup.login("al", password);
      await trial.ok(put, { key }, { metadata: after });
      await trial.ok(calls.userDelete, { name }, { metadata: root });
      await trial.refused("invalidAuthToken", range, { key }, { metadata: after });
      await trial.refused("authFailed", calls.authenticate, { name, password });
    },
  },
  {
    rule: "E-A4",
    name: "a signed token is of one revision of users and roles: after a change it is old",
    own: { members: 1, flags: signedTokens },
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.role("r", ["READWRITE", "a"]);
      await setup.user("al", "r");
      await setup.enable();
      const key = trial.key("a");
      const metadata = await setup.login("al");
      equal(metadata["token"]!.split(".").length, 3);
      const askings = [setup.ask(put, { key }), setup.ask(range, { key })];
      await allServed(metadata, askings);
      await setup.role("another");
      await allRefused(trial, "authOldRevision", metadata, askings);
      setup.root = await setup.login("root");
      await allServed(await setup.login("al"), askings);
    },
  },
  {
    rule: "E-A2",
    name: "what root may alone, and what every user may know of itself",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      for (const role of ["r", "s"]) await setup.role(role);
      await setup.user("al", "r");
      await setup.enable();
      const al = await setup.login("al");
      const [name, role, other] = [setup.name("al"), setup.name("r"), setup.name("s")];
      const key = trial.key("a");
      const password = "another password";
      await allRefused(trial, "permissionDenied", al, [
        setup.ask(calls.authEnable, {}),
        setup.ask(calls.authDisable, {}),
        setup.ask(calls.userAdd, { name: other, password }),
        setup.ask(calls.userList, {}),
        setup.ask(calls.userDelete, { name }),
        setup.ask(calls.userGet, { name: "root" }),
        setup.ask(calls.userChangePassword, { name, password }),
        setup.ask(calls.userGrantRole, { user: name, role: other }),
        setup.ask(calls.userRevokeRole, { name, role }),
        setup.ask(calls.roleAdd, { name: setup.name("t") }),
        setup.ask(calls.roleList, {}),
        setup.ask(calls.roleGet, { role: other }),
        setup.ask(calls.roleDelete, { role }),
        setup.ask(calls.roleGrantPermission, { name: role, perm: { key } }),
        setup.ask(calls.roleRevokePermission, { role, key }),
      ]);
      const denied = trial.differs("X-maintenance", {
        etcd: "2 auth: permission denied",
        quorate: "7 etcdserver: permission denied",
      });
      for (const method of [hash, hashKV, defragment]) {
        const { end } = await setup.ask(method as typeof hash, {}).by(al);
        equal(`${end.code} ${end.text}`, denied, method.name);
      }
      await allServed(al, [
        setup.ask(calls.userGet, { name }),
        setup.ask(calls.roleGet, { role }),
        setup.ask(leaseGrant, { TTL: 60n }),
        setup.ask(status, {}),
        setup.ask(memberList, {}),
      ]);
      await allServed(setup.root, [
        setup.ask(calls.userGet, { name }),
        setup.ask(calls.roleGet, { role: other }),
        setup.ask(hash, {}),
        setup.ask(hashKV, {}),
        setup.ask(defragment, {}),
      ]);
    },
  },
  {
    rule: "E-A2",
    name: "compaction, members and alarms, for who is no administrator",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.user("al");
      await setup.enable();
      const al = await setup.login("al");
      const { ACTIVATE, DEACTIVATE } = etcd.AlarmRequest_AlarmAction;
      const noSpace = { memberID: 1n, alarm: etcd.AlarmType.NOSPACE };
      const lowered = setup.ask(alarm, { action: DEACTIVATE, ...noSpace });
      trial.after(() => lowered.by(setup.root));
      for (const { what, by } of [
        setup.ask(compact, { revision: 1_000_000n }),
        setup.ask(memberAdd, { peerURLs: ["nonsense"] }),
        setup.ask(alarm, { action: ACTIVATE, ...noSpace }),
      ]) {
        const { end } = await by(al);
        const isServed = trial.differs("X-administrators", { etcd: true, quorate: false });
        if (isServed) equal([7, 16].includes(end.code), false, `${what}: ${end.code} ${end.text}`);
        else trial.isError("permissionDenied", end, what);
      }
    },
  },
  {
    rule: "E-A2",
    name: "nobody, where no key is told",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.enable();
      const askings = [
        setup.ask(status, {}),
        setup.ask(memberList, {}),
        setup.ask(alarm, {}),
        setup.ask(leaseGrant, { TTL: 60n }),
      ];
      const isServed = trial.differs("X-nobody", { etcd: true, quorate: false });
      if (isServed) await allServed({}, askings);
      else await allRefused(trial, "userEmpty", {}, askings);
      await allServed(setup.root, askings);
    },
  },
];
