// The judgement of a whole history once a run is over: the committed log is replayed through the
// naive twin, and what clients heard is held against it.
import { checkAcknowledgedWrites } from "./checkers/acknowledged-writes.ts";
import type { CommittedLog } from "./checkers/committed-log.ts";
import { checkLinearizability } from "./checkers/linearizability.ts";
import { Replay, requestKey } from "./checkers/replay.ts";
import type { ClientRequest, History } from "./client/history.ts";

/** Bytes that stand before a request in an entry: no user, auth revision 0. */
const envelopeBytes = 2;

export function judge(history: History, committed: CommittedLog): void {
  const requests = new Map<string, ClientRequest>();
  for (const { kind, bytes, request } of history.operations) {
    requests.set(requestKey(kind, bytes), request);
  }
  const entries = committed.entries();
  const replay = new Replay(entries, envelopeBytes, (key) => requests.get(key) ?? null);
  checkAcknowledgedWrites(history, replay);
  checkLinearizability(history, replay);
}
