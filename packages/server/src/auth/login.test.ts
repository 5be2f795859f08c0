// Method: logins against a view of users that the test makes, with passwords that are compared at once.
// Goal: whoever fails is told the same and logged the same, with user and address, whatever was wrong with
// it (GHSA-vjg6); nothing of a password is in the log.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { HostApi } from "@quorate/host";
import { KvError } from "@quorate/kv";
import { Login } from "./login.ts";
import type { Passwords } from "./passwords.ts";
import { logLines } from "../tls/testing/lines.ts";

const users = new Map([
  ["right", { name: "right", passwordHash: "secret-1", noPassword: false, since: 1 }],
  ["certificate-only", { name: "certificate-only", passwordHash: "", noPassword: true, since: 1 }],
]);

function login(): { readonly login: Login; readonly lines: ReturnType<typeof logLines>["lines"] } {
  const { logger, lines } = logLines();
  const view = { enabled: true, revision: 1, user: (name: string) => users.get(name) ?? null };
  const host = {
    readBarrier: (sink) => sink.reply(new Uint8Array(0)),
    auth: {
      view: () => view,
      change: (_command, _identity, sink) => sink.reply(new Uint8Array(0)),
    },
  } as Pick<HostApi, "readBarrier" | "auth">;
  const passwords = {
    matches: (password, hash, done) => done(hash !== null && hash === password),
  } as Passwords;
  const parts = { host, passwords, signed: null, tokenTtlMs: 1000, logger };
  return { login: new Login(parts), lines };
}

/** What it heard. */
function tryAs(
  made: Login,
  user: string,
  password: string,
  address: string = "10.0.0.1",
): KvError | "token" | "busy" {
  let heard: KvError | "token" | "busy" = KvError.None;
  made.authenticate(user, password, address, {
    token: () => (heard = "token"),
    refused: (error) => (heard = error),
    busy: () => (heard = "busy"),
    cannotSign: () => ok(false),
    fail: () => ok(false),
  });
  return heard;
}

test("a wrong password, an unknown user, one without a password, one too long: the same, and logged", () => {
  const { login: made, lines } = login();
  equal(tryAs(made, "right", "secret-1"), "token");
  equal(lines.length, 0);
  for (const [user, password] of [
    ["right", "secret-2"],
    ["nobody", "secret-1"],
    ["certificate-only", ""],
    ["certificate-only", "secret-1"],
    ["right", "secret-1".padEnd(100)],
  ] as const) {
    equal(tryAs(made, user, password), KvError.AuthFailed, user);
    const line = lines.at(-1)!;
    deepEqual(
      [line.msg, line["user"], line["address"]],
      ["authentication failed", user, "10.0.0.1"],
    );
  }
  equal(lines.length, 5);
  equal(JSON.stringify(lines).includes("secret"), false);
});

test("who tries too often is logged as well, and not compared any more", () => {
  const { login: made, lines } = login();
  let heard: unknown = null;
  for (let n = 0; n < 200 && heard !== "busy"; n += 1) {
    heard = tryAs(made, "nobody", "x", "10.0.0.2");
  }
  equal(heard, "busy");
  const { msg, user, address } = lines.at(-1)!;
  deepEqual([msg, user, address], ["authentication refused: too many tries", "nobody", "10.0.0.2"]);
});
