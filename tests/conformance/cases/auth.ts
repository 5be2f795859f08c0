// The Auth service while authentication is off: users, roles and permissions, with every refusal.
import { deepEqual, equal } from "node:assert/strict";
import { auth, etcd } from "@quorate/proto";
import { AuthSetup, passwordOf } from "../suite/auth-setup.ts";
import type { Case } from "../suite/case.ts";
import type { Trial } from "../suite/trial.ts";

const { range } = etcd.KV.method;
const calls = etcd.Auth.method;
const { READ, WRITE, READWRITE } = auth.Permission_Type;

async function usersOf(trial: Trial): Promise<string[]> {
  const { users } = await trial.ok(calls.userList, {});
  return own(trial, users);
}

function own(trial: Trial, names: readonly string[]): string[] {
  const found = names.filter((name) => name.startsWith(trial.prefix));
  return found.map((name) => name.slice(trial.prefix.length)).sort();
}

/** As "READ a", "WRITE a..b", in the order of the answer. */
async function permissionsOf(trial: Trial, role: string): Promise<string[]> {
  const { perm } = await trial.ok(calls.roleGet, { role });
  const name = (key: Uint8Array): string => Buffer.from(key).toString().replace(trial.prefix, "");
  return perm.map(({ permType, key, rangeEnd }) => {
    const end = rangeEnd.length === 0 ? "" : `..${name(rangeEnd)}`;
    return `${auth.Permission_Type[permType]} ${name(key)}${end}`;
  });
}

export const authCases: readonly Case[] = [
  {
    rule: "E-A1",
    name: "enable: not without a user root, and not without its role",
    run: async (trial) => {
      await trial.refused("rootUserMissing", calls.authEnable, {});
      await trial.ok(calls.userAdd, { name: "root", password: passwordOf("root") });
      trial.after(() => trial.wire.unary(calls.userDelete, { name: "root" }));
      await trial.refused("rootRoleMissing", calls.authEnable, {});
      await trial.ok(range, { key: trial.key("a") });
    },
  },
  {
    rule: "E-A1",
    name: "while it is off: disabling it again is nothing, and nobody can log in",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.user("al");
      await trial.ok(calls.authDisable, {});
      const request = { name: setup.name("al"), password: passwordOf("al") };
      await trial.refused("authNotEnabled", calls.authenticate, request);
    },
  },
  {
    rule: "E-A4",
    name: "while it is off: a token that nobody knows",
    run: async (trial) => {
      const metadata = { token: "abcdefghijklmnop.1" };
      const { end } = await trial.wire.unary(range, { key: trial.key("a") }, metadata);
      const isTaken = trial.differs("X-token-off", { etcd: false, quorate: true });
      if (isTaken) equal(end.code, 0, end.text);
      else trial.isError("invalidAuthToken", end);
    },
  },
  {
    rule: "E-RPC",
    name: "AuthStatus: off, and the revision that a change raises",
    since: "3.5",
    run: async (trial) => {
      const before = await trial.ok(calls.authStatus, {});
      equal(before.enabled, false);
      await new AuthSetup(trial).user("al");
      const after = await trial.ok(calls.authStatus, {});
      equal(after.authRevision, before.authRevision + 1n);
    },
  },
  {
    rule: "E-H1",
    name: "the header of every answer has the store's revision, which no change of users moves",
    run: async (trial) => {
      const revision = await trial.put("a");
      const setup = new AuthSetup(trial);
      const [user, role] = [setup.name("al"), setup.name("r")];
      const perm = { permType: READ, key: trial.key("a"), rangeEnd: new Uint8Array(0) };
      const { rangeEnd, key } = perm;
      const answers = [
        await trial.ok(calls.userAdd, { name: user, password: passwordOf("al") }),
        await trial.ok(calls.roleAdd, { name: role }),
        await trial.ok(calls.roleGrantPermission, { name: role, perm }),
        await trial.ok(calls.userGrantRole, { user, role }),
        await trial.ok(calls.userGet, { name: user }),
        await trial.ok(calls.userList, {}),
        await trial.ok(calls.roleGet, { role }),
        await trial.ok(calls.roleList, {}),
        await trial.ok(calls.userRevokeRole, { name: user, role }),
        await trial.ok(calls.roleRevokePermission, { role, key, rangeEnd }),
        await trial.ok(calls.userChangePassword, { name: user, password: "another password" }),
        await trial.ok(calls.userDelete, { name: user }),
        await trial.ok(calls.roleDelete, { role }),
        await trial.ok(calls.authDisable, {}),
      ];
      const { header } = await trial.ok(range, { key: trial.key("a") });
      for (const { header: told, $typeName } of answers) deepEqual(told, header, $typeName);
      await trial.unchanged(revision);
    },
  },
  {
    rule: "E-RPC",
    name: "users: added once, listed, found, given a password, deleted",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      const name = setup.name("al");
      const password = passwordOf("al");
      await trial.ok(calls.userAdd, { name, password });
      await trial.ok(calls.userAdd, { name: setup.name("bare"), options: { noPassword: true } });
      await trial.refused("userExists", calls.userAdd, { name, password });
      await trial.refused("userEmpty", calls.userAdd, { name: "", password });
      deepEqual(await usersOf(trial), ["al", "bare"]);
      deepEqual((await trial.ok(calls.userGet, { name })).roles, []);
      await trial.ok(calls.userChangePassword, { name, password: "another password" });
      await trial.ok(calls.userDelete, { name });
      deepEqual(await usersOf(trial), ["bare"]);
      await trial.refused("userNotFound", calls.userGet, { name });
      await trial.refused("userNotFound", calls.userDelete, { name });
      await trial.refused("userNotFound", calls.userChangePassword, { name, password });
      await trial.refused("userNotFound", calls.userGet, {});
    },
  },
  {
    rule: "E-RPC",
    name: "passwords that are empty, or longer than bcrypt reads",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      const refusals = [
        { short: "empty", password: "", words: "etcdserver: password is empty", code: 3 },
        {
          short: "long",
          password: "p".repeat(73),
          words: "bcrypt: password length exceeds 72 bytes",
          code: 2,
        },
      ];
      for (const { short, password, words, code } of refusals) {
        const { end } = await trial.wire.unary(calls.userAdd, {
          name: setup.name(short),
          password,
        });
        const told = `${end.code} ${end.text}`;
        equal(told, trial.differs("X-password", { etcd: "0 ", quorate: `${code} ${words}` }));
      }
    },
  },
  {
    rule: "E-RPC",
    name: "roles: added once, listed, found, deleted, and then nobody's",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      const [name, other] = [setup.name("r"), setup.name("s")];
      await setup.role("r");
      await setup.role("s");
      await setup.user("al", "r", "s");
      await trial.refused("roleExists", calls.roleAdd, { name });
      await trial.refused("roleEmpty", calls.roleAdd, {});
      deepEqual(own(trial, (await trial.ok(calls.roleList, {})).roles), ["r", "s"]);
      deepEqual(await permissionsOf(trial, name), []);
      await trial.ok(calls.roleDelete, { role: name });
      deepEqual((await trial.ok(calls.userGet, { name: setup.name("al") })).roles, [other]);
      deepEqual(own(trial, (await trial.ok(calls.roleList, {})).roles), ["s"]);
      await trial.refused("roleNotFound", calls.roleGet, { role: name });
      await trial.refused("roleNotFound", calls.roleDelete, { role: name });
      await trial.refused("roleNotFound", calls.roleDelete, {});
    },
  },
  {
    rule: "E-RPC",
    name: "roles of a user: granted once, in order, taken away, and those that there are not",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      for (const role of ["s", "r"]) await setup.role(role);
      await setup.user("al", "s", "r");
      const [user, role] = [setup.name("al"), setup.name("r")];
      await trial.ok(calls.userGrantRole, { user, role });
      const rolesOf = async (): Promise<string[]> =>
        own(trial, (await trial.ok(calls.userGet, { name: user })).roles);
      deepEqual((await trial.ok(calls.userGet, { name: user })).roles, [role, setup.name("s")]);
      await trial.refused("roleNotFound", calls.userGrantRole, { user, role: setup.name("x") });
      await trial.refused("userNotFound", calls.userGrantRole, { user: setup.name("x"), role });
      await trial.ok(calls.userRevokeRole, { name: user, role });
      deepEqual(await rolesOf(), ["s"]);
      await trial.refused("roleNotGranted", calls.userRevokeRole, { name: user, role });
      const unknown = setup.name("x");
      await trial.refused("roleNotGranted", calls.userRevokeRole, { name: user, role: unknown });
      await trial.refused("userNotFound", calls.userRevokeRole, { name: unknown, role });
      deepEqual(await rolesOf(), ["s"]);
    },
  },
  {
    rule: "E-RPC",
    name: "permissions: by key, one for each range, the last one counts, taken away by range",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      const role = setup.name("r");
      await setup.role("r", ["READ", "c"], ["WRITE", "a", "b"], ["READ", "a"]);
      const sorted = async (): Promise<string[]> => (await permissionsOf(trial, role)).sort();
      deepEqual(await sorted(), ["READ a", "READ c", "WRITE a..b"]);
      await setup.permit("r", ["READWRITE", "a", "b"]);
      deepEqual(await sorted(), ["READ a", "READ c", "READWRITE a..b"]);
      await setup.forbid("r", "a", "b");
      deepEqual(await permissionsOf(trial, role), ["READ a", "READ c"]);
      const key = trial.key("a");
      const rangeEnd = trial.key("b");
      await trial.refused("permissionNotGranted", calls.roleRevokePermission, {
        role,
        key,
        rangeEnd,
      });
      const unknown = setup.name("x");
      await trial.refused("roleNotFound", calls.roleRevokePermission, { role: unknown, key });
      const perm = { permType: READ, key };
      await trial.refused("roleNotFound", calls.roleGrantPermission, { name: unknown, perm });
      deepEqual(await permissionsOf(trial, role), ["READ a", "READ c"]);
    },
  },
  {
    rule: "E-ERR",
    name: "a grant that does not say of what",
    only: "quorate",
    run: async (trial) => {
      trial.differs("X-no-permission", { etcd: null, quorate: null });
      const setup = new AuthSetup(trial);
      await setup.role("r");
      const name = setup.name("r");
      await trial.refused("permissionNotGiven", calls.roleGrantPermission, { name });
      deepEqual(await permissionsOf(trial, name), []);
    },
  },
  {
    rule: "E-ERR",
    name: "permissions for what is no range, or of no type",
    run: async (trial) => {
      const setup = new AuthSetup(trial);
      await setup.role("r");
      const name = setup.name("r");
      const [a, b] = [trial.key("a"), trial.key("b")];
      const none = new Uint8Array(0);
      for (const perm of [
        { permType: READ, key: b, rangeEnd: a },
        { permType: WRITE, key: b, rangeEnd: b },
        { permType: READWRITE, key: none, rangeEnd: none },
        { permType: 7 as auth.Permission_Type, key: a, rangeEnd: none },
      ]) {
        const { end } = await trial.wire.unary(calls.roleGrantPermission, { name, perm });
        const isTaken = trial.differs("X-no-range", { etcd: true, quorate: false });
        if (isTaken) equal(end.code, 0, end.text);
        else trial.isError("invalidAuthManagement", end);
      }
    },
  },
];
