// Users and roles from elsewhere make a table like any other, or a line says what is too much.
import test from "node:test";
import { match, strictEqual as equal, ok } from "node:assert";
import { AuthTable } from "./auth-table.ts";
import { authProblem, authTableOf } from "./imported-auth.ts";
import type { ImportedAuth } from "./imported-auth.ts";

const user = { name: "u", passwordHash: "$2a$", noPassword: false, roles: ["b", "a"] };
const role = {
  name: "r",
  permissions: [
    { type: 1, key: "k2", rangeEnd: "" },
    { type: 0, key: "k1", rangeEnd: "k3" },
  ],
} as const;
const auth: ImportedAuth = { enabled: true, revision: 7, users: [user], roles: [role] };

test("a table that its own snapshot brings back, sorted as apply sorts it", () => {
  const table = authTableOf(auth);
  ok(typeof table !== "string");
  equal(table.enabled, true);
  equal(table.revision, 7);
  equal(table.user("u")?.roles.join(), "a,b");
  equal(
    table
      .role("r")
      ?.permissions.map(({ key }) => key)
      .join(),
    "k1,k2",
  );
  const other = new AuthTable();
  ok(other.restore(table.snapshot()));
  equal(other.digest().low, table.digest().low);
});

test("a table with something in it never has the revision of an unused one", () => {
  const revisionOf = (from: ImportedAuth): number => (authTableOf(from) as AuthTable).revision;
  equal(revisionOf({ ...auth, revision: 1 }), 2);
  equal(revisionOf({ enabled: false, revision: 1, users: [], roles: [] }), 1);
});

test("what is too much for a cluster", () => {
  const many = <T>(count: number, make: (n: number) => T): T[] =>
    Array.from({ length: count }, (_, n) => make(n));
  const rows: readonly (readonly [Partial<ImportedAuth>, RegExp])[] = [
    [
      { users: many(10_001, (n) => ({ ...user, name: `u${n}` })) },
      /^10001 users; a cluster keeps 10000$/,
    ],
    [
      { roles: many(1001, (n) => ({ ...role, name: `r${n}` })) },
      /^1001 roles; a cluster keeps 1000$/,
    ],
    [{ users: [{ ...user, name: "n".repeat(1025) }] }, /^a user's name has more than 1024 bytes$/],
    [{ roles: [{ ...role, name: "n".repeat(1025) }] }, /^a role's name has more than 1024 bytes$/],
    [{ users: [{ ...user, passwordHash: "h".repeat(129) }] }, /hash of user "u" has more than 128/],
    [
      { roles: [{ name: "r", permissions: many(1001, () => role.permissions[0]) }] },
      /^role "r" has more than 1000 permissions$/,
    ],
    [
      { users: many(100, (n) => ({ ...user, name: `u${n}`, roles: ["r".repeat(1_000_000)] })) },
      /^users and roles of \d+ bytes; a cluster keeps 33554432$/,
    ],
  ];
  for (const [change, what] of rows) match(authProblem({ ...auth, ...change }) ?? "none", what);
  equal(authProblem(auth), null);
});
