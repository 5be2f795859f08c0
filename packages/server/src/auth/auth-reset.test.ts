// The word of an operator: which file is believed, that it is gone before it has any effect, and what is
// still to be done in every state of the users. Method: rows over a folder, and over views of a table.
import { deepEqual, equal, match } from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AuthAction } from "@quorate/kv";
import type { AuthView, User } from "@quorate/kv";
import { nextStep } from "./auth-reset.ts";
import { isResetThere, takeReset, writeReset } from "./reset-file.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-reset-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "auth-reset");
const word = { user: "root", passwordHash: "$2b$04$of-a-new-password" };

test("a word is taken once, as it was written, by nobody but its owner's process", async () => {
  equal(await isResetThere(folder), false);
  writeReset(folder, { ...word, user: "other" });
  writeReset(folder, word);
  equal(await isResetThere(folder), true);
  equal(statSync(path).mode & 0o777, 0o600);
  deepEqual(takeReset(folder), word);
  equal(existsSync(path), false);
  match(takeReset(folder) as string, /cannot be taken: ENOENT$/);
});

test("what others can write, or leads elsewhere, is not believed and stays", () => {
  for (const mode of [0o620, 0o602]) {
    writeReset(folder, word);
    chmodSync(path, mode);
    match(takeReset(folder) as string, /may be another user's word: it is not believed$/);
    equal(existsSync(path), true);
  }
  rmSync(path);
  const elsewhere = join(folder, "elsewhere");
  writeFileSync(elsewhere, JSON.stringify(word), { mode: 0o600 });
  symlinkSync(elsewhere, path);
  match(takeReset(folder) as string, /cannot be taken: ELOOP$/);
  rmSync(path);
});

test("what is no word is gone, and does nothing", () => {
  const rows = ["", "{", "null", '{"user":"root"}', '{"user":"","passwordHash":"$2b$04$x"}'];
  for (const text of [...rows, '{"user":"root","passwordHash":"plain"}']) {
    writeFileSync(path, text, { mode: 0o600 });
    match(takeReset(folder) as string, /was not written by quorate auth reset$/, text);
    equal(existsSync(path), false);
  }
});

function view(enabled: boolean, ...users: readonly Partial<User>[]): AuthView {
  const all = new Map(
    users.map((user) => {
      const whole = {
        name: "",
        passwordHash: "old",
        noPassword: false,
        roles: [],
        since: 2,
        ...user,
      };
      return [whole.name, whole];
    }),
  );
  return {
    enabled,
    userNames: () => [...all.keys()],
    user: (name: string) => all.get(name) ?? null,
  } as unknown as AuthView;
}

test("each step follows from the state alone, in the name of one who has the role root", () => {
  const { passwordHash } = word;
  const root = { name: "root", roles: ["root"] };
  const add = { action: AuthAction.UserAdd, user: "root", passwordHash, noPassword: false };
  const change = { action: AuthAction.UserChangePassword, user: "root", passwordHash };
  const grant = { action: AuthAction.UserGrantRole, user: "root", role: "root" };
  const admin = { name: "admin", roles: ["root"] };
  const rows: [AuthView, ReturnType<typeof nextStep>][] = [
    [view(false, root), "authentication is off, and nobody is locked out"],
    [view(true, { name: "root" }), "no user has the role root"],
    [view(true, admin), { as: "admin", command: add }],
    [view(true, admin, { name: "root", passwordHash }), { as: "admin", command: grant }],
    [view(true, root), { as: "root", command: change }],
    [view(true, { ...root, passwordHash }), null],
  ];
  for (const [at, [state, step]] of rows.entries()) {
    deepEqual(nextStep(state, word), step, `row ${at}`);
  }
  const byCertificate = view(true, { ...root, noPassword: true, passwordHash: "" });
  match(nextStep(byCertificate, word) as string, /comes by a certificate: choose another/);
});
