// R2: a serializable read may be old, but it is some state that was: a prefix of the log. And what one
// process answers, to whomever, never goes back while it lives.
import { assert } from "@quorate/base";
import { CompactionRequest, OpType } from "@quorate/kv";
import type { Answer, Evidence } from "./evidence.ts";
import { demand } from "./violation.ts";

const property = "R2 serializable reads";

export function checkSerializableReads(evidence: Evidence): void {
  for (const answer of evidence.answers) {
    if (answer.operation.serializable && answer.revision !== null) checkPrefix(answer, evidence);
  }
  checkMonotonic(evidence.answers);
}

function checkPrefix({ operation, revision, text }: Answer, { replay }: Evidence): void {
  const { request } = operation;
  assert(!(request instanceof CompactionRequest), "a serializable read is a read");
  assert(request.type === OpType.Range || request.type === OpType.Txn, "a read");
  demand(
    replay.firstStepOf(revision!) !== null,
    property,
    () => `operation ${operation.id} answered from revision ${revision}, which never was`,
  );
  const expected = replay.model.readAt(request, { revision: revision!, compactRevision: -1 });
  demand(
    text === expected,
    property,
    () => `operation ${operation.id} read "${text}", the twin holds "${expected}"`,
  );
}

/** Answers of one process, in the order in which they left it. */
function checkMonotonic(answers: readonly Answer[]): void {
  /** Process → the newest revision that had been heard from it, by whom. */
  const newest = new Map<string, Answer>();
  const ordered = answers
    .filter(({ revision }) => revision !== null)
    .toSorted((a, b) => a.operation.returnedAt - b.operation.returnedAt);
  for (const answer of ordered) {
    const { incarnation, id } = answer.operation;
    if (incarnation === "") continue;
    const before = newest.get(incarnation);
    demand(
      before === undefined || answer.revision! >= before.revision!,
      property,
      () =>
        `operation ${id} heard revision ${answer.revision} from ${incarnation}, which had said ` +
        `${before?.revision} to operation ${before?.operation.id}`,
    );
    newest.set(incarnation, answer);
  }
}
