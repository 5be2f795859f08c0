// Who comes in: what is known here is answered at once, and nobody is refused, nor let in as an
// administrator, before a barrier has shown that this member is not behind (A2). Method: a state that
// changes while the barrier is awaited.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { AuthAction, Identity, KvError } from "@quorate/kv";
import { FailureCode } from "../host-api.ts";
import type { ReplySink } from "../host-api.ts";
import { failure } from "../proposals.ts";
import { Admission } from "./admission.ts";
import { CredentialKind, Need } from "./credential.ts";
import type { Credential } from "./credential.ts";
import { AuthState, tokenOf } from "./test/auth-state.ts";
import { TokenDuty } from "./token-duty.ts";

class Door {
  readonly state: AuthState;
  readonly barriers: ReplySink[];
  readonly used: string[];
  readonly #admission: Admission;

  constructor() {
    this.state = new AuthState();
    this.barriers = [];
    this.used = [];
    const { kv } = this.state;
    const tokens = new TokenDuty({
      kv,
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      tickMs: 10,
      isLeader: () => false,
      propose: () => undefined,
    });
    tokens.used = (hash) => void this.used.push(hash);
    this.#admission = new Admission(kv, tokens, (sink) => void this.barriers.push(sink));
  }

  /** "user revision", or the error; null while nothing was said. */
  ask(credential: Credential | null, need: Need): { verdict: string | null } {
    const asked: { verdict: string | null } = { verdict: null };
    this.#admission.admit(credential, need, {
      admitted: ({ user, authRevision }) => {
        asked.verdict = `${user} ${authRevision}`;
      },
      refused: ({ code, kvError }) => {
        asked.verdict = code === FailureCode.Kv ? `error ${kvError}` : `failure ${code}`;
      },
    });
    return asked;
  }
}

const token = (name: string): Credential => ({ kind: CredentialKind.Token, hash: tokenOf(name) });
const named = (user: string): Credential => ({ kind: CredentialKind.Name, user });
const signed = (user: string, revision: number): Credential => ({
  kind: CredentialKind.Signed,
  identity: new Identity(user, revision),
});
const error = (code: KvError): string => `error ${code}`;

test("what this member knows it says at once: a token, a name, a signature, and nobody while it is off", () => {
  const door = new Door();
  equal(door.ask(null, Need.User).verdict, " 0");
  equal(door.ask(named("anybody"), Need.User).verdict, "anybody 1");
  door.state.enable();
  door.state.issue("u", tokenOf("t"));
  const { revision } = door.state.kv.auth;
  equal(door.ask(token("t"), Need.User).verdict, `u ${revision}`);
  equal(door.ask(named("u"), Need.User).verdict, `u ${revision}`);
  equal(door.ask(signed("u", revision), Need.User).verdict, `u ${revision}`);
  deepEqual([door.barriers.length, door.used], [0, [tokenOf("t")]]);
});

test("nobody is refused before the barrier; what was missing may be there behind it", () => {
  const door = new Door();
  door.state.enable();
  const asked = [
    door.ask(null, Need.User),
    door.ask(token("late"), Need.User),
    door.ask(token("never"), Need.User),
    door.ask(named("stranger"), Need.User),
    door.ask(signed("u", 1), Need.User),
  ];
  deepEqual(
    asked.map(({ verdict }) => verdict),
    [null, null, null, null, null],
  );
  door.state.issue("u", tokenOf("late"));
  for (const barrier of door.barriers) barrier.reply(new Uint8Array(0));
  deepEqual(
    asked.map(({ verdict }) => verdict),
    [
      error(KvError.UserEmpty),
      `u ${door.state.kv.auth.revision}`,
      error(KvError.InvalidAuthToken),
      error(KvError.PermissionDenied),
      error(KvError.AuthOldRevision),
    ],
  );
});

test("what was switched off meanwhile lets everybody in; what was switched on is asked again", () => {
  const door = new Door();
  door.state.enable();
  const anonymous = door.ask(null, Need.User);
  const old = door.ask(token("old"), Need.User);
  door.state.apply({ action: AuthAction.Disable });
  for (const barrier of door.barriers.splice(0)) barrier.reply(new Uint8Array(0));
  deepEqual([anonymous.verdict, old.verdict], [" 0", " 0"]);

  const fresh = door.ask(token("fresh"), Need.User);
  equal(fresh.verdict, null, "a token although it is off: this member may be behind");
  door.state.apply({ action: AuthAction.Enable });
  door.state.issue("u", tokenOf("fresh"));
  door.barriers[0]!.reply(new Uint8Array(0));
  equal(fresh.verdict, `u ${door.state.kv.auth.revision}`);
});

test("an administrator is one behind the barrier, or where nobody leads, as this member knows it", () => {
  const door = new Door();
  door.state.addUser("second", "root");
  door.state.enable();
  const asked = [
    door.ask(named("second"), Need.Admin),
    door.ask(named("root"), Need.Admin),
    door.ask(named("u"), Need.AdminHere),
    door.ask(named("second"), Need.AdminHere),
  ];
  deepEqual(
    asked.map(({ verdict }) => verdict),
    [null, null, null, null],
  );
  door.state.apply({ action: AuthAction.UserRevokeRole, user: "second", role: "root" });
  for (const barrier of door.barriers.splice(0)) barrier.reply(new Uint8Array(0));
  const { revision } = door.state.kv.auth;
  // The name was taken when it was asked again: nobody may hold on to what it was.
  deepEqual(
    asked.map(({ verdict }) => verdict),
    [
      error(KvError.PermissionDenied),
      `root ${revision}`,
      error(KvError.PermissionDenied),
      error(KvError.PermissionDenied),
    ],
  );

  const without = [
    door.ask(named("root"), Need.Admin),
    door.ask(named("root"), Need.AdminHere),
    door.ask(named("u"), Need.AdminHere),
    door.ask(named("u"), Need.User),
    door.ask(null, Need.User),
  ];
  for (const barrier of door.barriers.splice(0)) barrier.fail(failure(FailureCode.NoLeader));
  deepEqual(
    without.map(({ verdict }) => verdict),
    [
      `failure ${FailureCode.NoLeader}`,
      `root ${revision}`,
      error(KvError.PermissionDenied),
      `u ${revision}`,
      `failure ${FailureCode.NoLeader}`,
    ],
  );
  const late = door.ask(named("root"), Need.AdminHere);
  door.barriers[0]!.fail(failure(FailureCode.TooManyRequests));
  equal(late.verdict, `failure ${FailureCode.TooManyRequests}`);
});
