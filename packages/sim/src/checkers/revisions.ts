// K1: every change has a revision of its own, above everything that was heard before it was asked
// for, whatever restarts and compactions came between (etcd #17780); and a revision means the same to
// everybody: a key that was changed at it has one value, one version, one creation.
import { CompactionRequest, OpType } from "@quorate/kv";
import type { LiveKey } from "../model/canonical.ts";
import { keysHeard } from "../model/reply-keys.ts";
import type { Answer, Evidence } from "./evidence.ts";
import { demand } from "./violation.ts";

const property = "K1 revisions";

export function checkRevisions({ answers }: Evidence): void {
  const changes = new Map<number, Answer>();
  for (const answer of answers) {
    if (!answer.changed) continue;
    const other = changes.get(answer.revision!);
    demand(
      other === undefined,
      property,
      () =>
        `revision ${answer.revision} was given to operations ${other?.operation.id} and ` +
        `${answer.operation.id}`,
    );
    changes.set(answer.revision!, answer);
  }
  checkRising(answers);
  checkMeaning(answers);
}

interface Moment {
  readonly at: number;
  readonly answer: Answer;
  readonly isReturn: boolean;
}

function checkRising(answers: readonly Answer[]): void {
  const moments: Moment[] = [];
  for (const answer of answers) {
    if (answer.revision === null) continue;
    const { calledAt, returnedAt } = answer.operation;
    if (answer.changed) moments.push({ at: calledAt, answer, isReturn: false });
    moments.push({ at: returnedAt, answer, isReturn: true });
  }
  moments.sort((a, b) => a.at - b.at);
  let heard = 0;
  for (const { answer, isReturn } of moments) {
    if (isReturn) heard = Math.max(heard, answer.revision!);
    else {
      const before = heard;
      demand(
        answer.revision! > before,
        property,
        () =>
          `operation ${answer.operation.id} made revision ${answer.revision}, and ${before} had ` +
          `been heard before it was called`,
      );
    }
  }
}

function checkMeaning(answers: readonly Answer[]): void {
  /** Key and mod revision → what was first heard of them. */
  const meanings = new Map<string, LiveKey>();
  for (const { operation, revision } of answers) {
    if (revision === null || operation.request instanceof CompactionRequest) continue;
    // A range may leave values out; the other answers that name keys never do.
    const { request } = operation;
    if (request.type === OpType.Range && request.keysOnly) continue;
    for (const kv of keysHeard(operation.kind, operation.reply!)) {
      demand(
        isSane(kv, revision),
        property,
        () => `operation ${operation.id} heard of ${describe(kv)} at revision ${revision}`,
      );
      const id = `${kv.main} ${kv.key}`;
      const known = meanings.get(id) ?? kv;
      meanings.set(id, known);
      demand(
        known.value === kv.value && known.create === kv.create && known.version === kv.version,
        property,
        () =>
          `operation ${operation.id} heard of ${describe(kv)}, before it was ${describe(known)}`,
      );
    }
  }
}

function isSane({ create, main, version }: LiveKey, revision: number): boolean {
  return create > 1 && create <= main && main <= revision && (version === 1) === (create === main);
}

function describe({ key, create, main, version, value }: LiveKey): string {
  return `${key} created ${create} changed ${main} version ${version}: "${value.slice(0, 40)}"`;
}
