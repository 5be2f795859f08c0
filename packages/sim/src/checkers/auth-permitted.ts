// A1: every answer was permitted, and every refusal due, by the state of users and rights in which it was
// given: whoever was let in was who it said, by what the asked member had applied; an entry is judged by
// the state before it; a read by that which it was served from. Serializable reads are another
// property's (auth-local-reads.ts).
import { equalBytes } from "@quorate/base";
import { FailureCode, Need } from "@quorate/host";
import {
  type AuthCommand,
  CompactionRequest,
  encodeAuthCommand,
  type Identity,
  KvError,
  nobody,
} from "@quorate/kv";
import { type AuthHistory, type AuthOperation, isLogin } from "../client/auth-history.ts";
import type { Entrance } from "../client/entrance.ts";
import { type ClientOperation, Outcome } from "../client/history.ts";
import type { AuthModel } from "../model/auth-model.ts";
import { denialOf, isDenial } from "../model/auth-rights.ts";
import { errorText } from "../model/canonical.ts";
import { type Evidence, isLogged } from "./evidence.ts";
import type { Replay, ReplayedOperation } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "A1 permitted answers";

export function checkPermitted({ history, replay }: Evidence): void {
  const { auth } = replay.model;
  if (auth.outcomes.size === 0) return;
  const entries = new Map(replay.operations.map((one) => [one.index, one]));
  for (const operation of history.operations) {
    if (!wasAnswered(operation)) continue;
    const { entrance, kvError, id } = operation;
    checkEntrance(entrance, Need.User, kvError, auth, () => `operation ${id}`);
    if (entrance.isRefused) continue;
    if (isLogged(operation)) checkEntry(operation, entries.get(entrance.answeredAt + 1));
    else if (!operation.serializable) checkRead(operation, replay, property);
  }
}

function wasAnswered({ outcome, failure, kvError }: ClientOperation): boolean {
  if (outcome === Outcome.Ok) return true;
  return outcome === Outcome.NotCommitted && failure === FailureCode.Kv && isDenial(kvError);
}

/** By the state that the member had when it let somebody in, or did not. */
function checkEntrance(
  entrance: Entrance,
  need: Need,
  kvError: KvError,
  auth: AuthModel,
  what: () => string,
): void {
  const { decidedAt, identity, isRefused, credential } = entrance;
  if (decidedAt < 0) return;
  const state = auth.at(decidedAt);
  const known = auth.identityFor(credential, decidedAt);
  // While authentication is off it does not matter what somebody brings.
  const who = known === null && !state.enabled ? nobody : known;
  const due =
    who === null
      ? KvError.InvalidAuthToken
      : need === Need.User
        ? state.mayCall(who)
        : state.mayAdminister(who);
  const say = (): string =>
    `${what()} by ${credential === null ? "nobody" : JSON.stringify(credential)} was ` +
    `${isRefused ? `refused with ${kvError}` : `let in as ${show(identity)}`} at ${decidedAt}, ` +
    `where the twin knows ${show(who)} and says ${errorText(due)}`;
  if (isRefused) {
    demand(due === kvError, property, say);
    return;
  }
  const isSame = who?.user === identity?.user && who?.authRevision === identity?.authRevision;
  demand(due === KvError.None && isSame, property, say);
}

function checkEntry(operation: ClientOperation, entry: ReplayedOperation | undefined): void {
  const { id, entrance, key, outcome, kvError } = operation;
  const isOwn = entry?.key === key && isSameIdentity(entry.identity, entrance.identity);
  demand(
    isOwn,
    property,
    () =>
      `operation ${id} of ${show(entrance.identity)} was answered at ${entrance.answeredAt + 1}, ` +
      `where an entry of ${show(entry?.identity ?? null)} is`,
  );
  const isFine =
    outcome === Outcome.Ok ? !isDenialText(entry.reply) : entry.reply === errorText(kvError);
  demand(
    isFine,
    property,
    () =>
      `operation ${id} of ${show(entrance.identity)} heard ` +
      `${outcome === Outcome.Ok ? "OK" : errorText(kvError)}, the twin says "${entry.reply}"`,
  );
}

/** By the very state from which it was served. */
export function checkRead(operation: ClientOperation, { model }: Replay, ofWhat: string): void {
  const { id, entrance, request, outcome, kvError } = operation;
  const { identity, answeredAt } = entrance;
  if (request instanceof CompactionRequest || identity === null || answeredAt < 0) return;
  // What is only read names no leases.
  const due = denialOf(model.auth.at(answeredAt), identity, request, () => []);
  const heard = outcome === Outcome.Ok ? KvError.None : kvError;
  demand(
    due === heard,
    ofWhat,
    () =>
      `read ${id} of ${show(identity)} heard ${errorText(heard)} from the state at ${answeredAt}, ` +
      `the twin says ${errorText(due)}`,
  );
}

/** Of changes of users and rights, and of logins. */
export function checkPermittedChanges({ operations }: AuthHistory, auth: AuthModel): void {
  for (const operation of operations) {
    const { outcome, kvError, entrance, ask, id } = operation;
    const isHeard = outcome === Outcome.Ok || kvError !== KvError.None;
    if (!isHeard || outcome === Outcome.Unknown) continue;
    if (isLogin(ask)) {
      checkToken(operation, auth);
      continue;
    }
    checkEntrance(entrance, Need.Admin, kvError, auth, () => `change ${id}`);
    if (!entrance.isRefused) checkChange(operation, ask, auth);
  }
}

function checkChange(
  { id, kvError, entrance }: AuthOperation,
  ask: AuthCommand,
  auth: AuthModel,
): void {
  const made = auth.outcomes.get(entrance.answeredAt + 1);
  const isOwn =
    made !== undefined &&
    equalBytes(encodeAuthCommand(made.command), encodeAuthCommand(ask)) &&
    isSameIdentity(made.identity, entrance.identity);
  demand(
    isOwn && made.error === kvError,
    property,
    () =>
      `change ${id} ${JSON.stringify(ask)} of ${show(entrance.identity)} heard ` +
      `${errorText(kvError)} at ${entrance.answeredAt + 1}; the twin has there ` +
      (made === undefined ? "none" : `${JSON.stringify(made.command)}: ${errorText(made.error)}`),
  );
}

function checkToken({ id, token, entrance }: AuthOperation, auth: AuthModel): void {
  if (token === null) return;
  const made = auth.outcomes.get(entrance.answeredAt + 1);
  const isIssued =
    made !== undefined &&
    "token" in made.command &&
    made.command.token === token &&
    made.error === KvError.None;
  demand(
    isIssued,
    property,
    () => `login ${id} was given a token at ${entrance.answeredAt + 1} that the twin refused`,
  );
}

function isSameIdentity(one: Identity, other: Identity | null): boolean {
  return one.user === other?.user && one.authRevision === other.authRevision;
}

function isDenialText(text: string): boolean {
  return denialTexts.has(text);
}

const denialTexts: ReadonlySet<string> = new Set(
  Object.values(KvError).filter(isDenial).map(errorText),
);

function show(identity: Identity | null): string {
  if (identity === null) return "nobody known";
  return identity.user === "" ? "nobody" : `${identity.user} of revision ${identity.authRevision}`;
}
