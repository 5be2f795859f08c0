// K2: what a compaction takes away and what it must keep. A revision below it is refused as compacted
// and no other is; one above the present is refused as being in the future and no other is; and at
// every revision that can still be read all keys are there that were there, and none that was deleted
// comes back (etcd #18089, #19179).
import { CompactionRequest, KvError, OpType, type RangeRequest } from "@quorate/kv";
import { errorText } from "../model/canonical.ts";
import { keysHeard } from "../model/reply-keys.ts";
import type { Answer, Evidence } from "./evidence.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "K2 compaction";

/** What clients know for certain at some moment. */
interface Known {
  /** Newest revision that any answer named. */
  revision: number;
  /** Highest acknowledged compaction. */
  compacted: number;
}

export function checkCompaction(evidence: Evidence): void {
  const { answers, replay } = evidence;
  const known: Known = { revision: 1, compacted: -1 };
  const calls = answers.map((answer) => ({ at: answer.operation.calledAt, answer, call: true }));
  const returns = answers.map((answer) => ({
    at: answer.operation.returnedAt,
    answer,
    call: false,
  }));
  const moments = [...calls, ...returns].sort((a, b) => a.at - b.at);
  for (const { answer, call } of moments) {
    if (call) checkAnswer(answer, known, replay);
    else learn(answer, known);
  }
}

function learn({ operation: { request }, revision }: Answer, known: Known): void {
  if (revision === null) return;
  known.revision = Math.max(known.revision, revision);
  if (request instanceof CompactionRequest) {
    known.compacted = Math.max(known.compacted, request.revision);
  }
}

/** `known`: when it was called. */
function checkAnswer(answer: Answer, known: Known, replay: Replay): void {
  const { operation, revision } = answer;
  const { request } = operation;
  if (request instanceof CompactionRequest) checkRequest(answer, request.revision, known, replay);
  else if (request.type === OpType.Range) {
    checkRead(answer, request, operation.serializable ? null : known, replay);
    if (revision !== null && isPlain(request)) checkKept(answer, request, replay);
  }
}

/** The compaction itself: accepted once, and only forwards. */
function checkRequest(answer: Answer, asked: number, known: Known, replay: Replay): void {
  const { text, operation } = answer;
  const high = replay.model;
  const say = (): string =>
    `compaction ${operation.id} to ${asked} heard "${text}" after ${show(known)}`;
  if (text === errorText(KvError.Compacted)) {
    demand(asked <= high.compactRevision, property, say);
  } else if (text === errorText(KvError.FutureRevision)) {
    demand(asked > known.revision, property, say);
  } else if (text !== errorText(KvError.Corrupt)) {
    demand(asked > known.compacted && asked <= high.revision, property, say);
  }
}

/** `known` null: the member may lag behind what clients know. */
function checkRead(
  answer: Answer,
  { revision: asked }: RangeRequest,
  known: Known | null,
  replay: Replay,
): void {
  const { text, operation } = answer;
  const high = replay.model;
  const say = (): string =>
    `read ${operation.id} at revision ${asked} heard "${text.slice(0, 80)}"` +
    (known === null ? "" : ` after ${show(known)}`);
  if (text === errorText(KvError.Compacted)) {
    demand(asked > 0 && asked < high.compactRevision, property, say);
  } else if (text === errorText(KvError.FutureRevision)) {
    demand(asked > (known?.revision ?? 1), property, say);
  } else {
    demand(asked <= 0 || asked >= (known?.compacted ?? -1), property, say);
  }
}

/** It shows all keys that there were, with all that is known of them. */
function isPlain(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const bounds = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision];
  return !request.countOnly && request.limit === 0 && bounds.every((bound) => bound === 0);
}

function checkKept({ operation, revision }: Answer, request: RangeRequest, replay: Replay): void {
  const at = request.revision > 0 ? request.revision : revision!;
  const { compactRevision } = replay.model;
  const idOf = ({ key, main }: { key: string; main: number }): string => `${key} changed ${main}`;
  const old = ({ main }: { main: number }): boolean => main <= compactRevision;
  const heard = new Set(keysHeard(operation.kind, operation.reply!).filter(old).map(idOf));
  const kept = new Set(
    replay.model.liveAt(request.key, request.rangeEnd, at).filter(old).map(idOf),
  );
  const lost = [...kept].find((id) => !heard.has(id));
  const risen = [...heard].find((id) => !kept.has(id));
  const where = `read ${operation.id} at revision ${at}, compacted is ${compactRevision}`;
  demand(lost === undefined, property, () => `${where}: ${lost} is lost`);
  demand(risen === undefined, property, () => `${where}: ${risen} should be gone`);
}

function show({ revision, compacted }: Known): string {
  return `revision ${revision} and compaction ${compacted} had been heard`;
}
