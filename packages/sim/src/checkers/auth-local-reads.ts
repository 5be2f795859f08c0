// A serializable read is judged by what the asked member has applied, as it is answered: a member that is
// behind honours a right that was taken away until it has caught up, as etcd's does, but never one
// that its own state does not have.
import { FailureCode } from "@quorate/host";
import { Outcome } from "../client/history.ts";
import { isDenial } from "../model/auth-rights.ts";
import { checkRead } from "./auth-permitted.ts";
import type { Evidence } from "./evidence.ts";

const property = "A1 serializable reads by the member's own state";

export function checkLocalReads({ history, replay }: Evidence): void {
  if (replay.model.auth.outcomes.size === 0) return;
  for (const operation of history.operations) {
    if (!operation.serializable || operation.entrance.isRefused) continue;
    const { outcome, failure, kvError } = operation;
    const isDenied = failure === FailureCode.Kv && isDenial(kvError);
    if (outcome === Outcome.Ok || isDenied) checkRead(operation, replay, property);
  }
}
