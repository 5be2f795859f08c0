// A2: what was taken away is gone. Once a change of users, rights or passwords was answered, no linearizable
// call succeeds by a state from before it, no password from before it is good for a login; and nobody who
// watches is told of anything by a member that knows that the right to it is gone.
import { latin1Decode } from "@quorate/base";
import { KvError, type WatchRequest } from "@quorate/kv";
import { type AuthHistory, type AuthOperation, isLogin } from "../client/auth-history.ts";
import { type ClientOperation, Outcome } from "../client/history.ts";
import type { WatchRecord } from "../client/watch-history.ts";
import type { AuthModel } from "../model/auth-model.ts";
import type { KeyNeed } from "../model/auth-state-model.ts";
import { isLogged } from "./evidence.ts";
import { demand } from "./violation.ts";

const property = "A2 what was taken away is gone";

/** An answered change. */
interface Known {
  readonly returnedAt: number;
  /** The latest entry of all that were answered by then. */
  readonly index: number;
}

export function checkRevoked(
  { operations }: AuthHistory,
  asked: readonly ClientOperation[],
  auth: AuthModel,
): void {
  const known = knownOf(operations);
  for (const operation of asked) {
    if (operation.outcome === Outcome.Ok) checkAnswer(operation, known);
  }
  for (const operation of operations) {
    if (operation.outcome === Outcome.Ok) checkLogin(operation, known, auth);
  }
}

function checkAnswer(operation: ClientOperation, known: readonly Known[]): void {
  const { id, serializable, calledAt, entrance } = operation;
  if (serializable) return;
  const at = entrance.answeredAt + (isLogged(operation) ? 1 : 0);
  const floor = floorAt(known, calledAt);
  demand(
    at >= floor,
    property,
    () =>
      `operation ${id} was answered by users and rights of index ${at}; a change at ${floor} had ` +
      `been answered before it was called`,
  );
}

/** Its password was the user's at some moment between the call and the answer. */
function checkLogin(operation: AuthOperation, known: readonly Known[], auth: AuthModel): void {
  const { ask, calledAt, entrance, id } = operation;
  if (!isLogin(ask)) return;
  const floor = floorAt(known, calledAt);
  const states = auth.during(floor, Math.max(floor, entrance.answeredAt));
  const isRight = states.some(({ enabled, users }) => {
    const user = users.get(ask.user);
    return enabled && user?.noPassword === false && user.passwordHash === ask.passwordHash;
  });
  demand(
    isRight,
    property,
    () =>
      `login ${id} of ${ask.user} succeeded with ${ask.passwordHash}, which was not its ` +
      `password from ${floor} to ${entrance.answeredAt}`,
  );
}

/** By the returns, each with all before it. */
function knownOf(operations: readonly AuthOperation[]): readonly Known[] {
  const answered = operations
    .filter(({ outcome, ask }) => outcome === Outcome.Ok && !isLogin(ask))
    .toSorted((a, b) => a.returnedAt - b.returnedAt);
  let index = 0;
  return answered.map(({ returnedAt, entrance }) => {
    index = Math.max(index, entrance.answeredAt + 1);
    return { returnedAt, index };
  });
}

function floorAt(known: readonly Known[], calledAt: number): number {
  let low = 0;
  let high = known.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (known[middle]!.returnedAt < calledAt) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : known[low - 1]!.index;
}

/** By what the member that said so had applied: rights are asked for before events are told. */
export function checkWatchRights(records: readonly WatchRecord[], auth: AuthModel): void {
  for (const { id, request, permits } of records) {
    const need = needOf(request);
    for (const { identity, applied, began } of permits) {
      if (applied < 0) continue;
      const state = auth.at(applied);
      const error = began ? state.mayUse(identity, [need]) : state.mayGoOn(identity, need);
      demand(
        error === KvError.None,
        property,
        () =>
          `watcher ${id} of ${identity.user} (revision ${identity.authRevision}) was ` +
          `${began ? "begun" : "told of events"} at ${applied}, where it has no right to ` +
          `"${need.key}" to "${need.rangeEnd}"`,
      );
    }
  }
}

function needOf({ key, rangeEnd }: WatchRequest): KeyNeed {
  return { write: false, key: latin1Decode(key), rangeEnd: latin1Decode(rangeEnd) };
}
