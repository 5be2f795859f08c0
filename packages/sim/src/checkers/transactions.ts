// K4: a transaction is one step. Its compares and reads see one state, each operation sees those
// before it, all its writes have the header's revision; and what it reads does not depend on what has
// been compacted since (etcd #18667).
import { CompactionRequest, OpType, type TxnRequest } from "@quorate/kv";
import { type Answer, type Evidence, isLogged } from "./evidence.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "K4 transactions";

export function checkTransactions({ answers, replay }: Evidence): void {
  for (const answer of answers) {
    const { request } = answer.operation;
    if (answer.revision === null || request instanceof CompactionRequest) continue;
    if (request.type !== OpType.Txn) continue;
    const expected = repliesOf(answer, request, replay);
    demand(
      expected.includes(answer.text),
      property,
      () =>
        `operation ${answer.operation.id} heard "${answer.text}", ` +
        `the twin says "${expected.join('" or "')}"`,
    );
  }
}

function repliesOf(answer: Answer, request: TxnRequest, replay: Replay): string[] {
  const revision = answer.revision!;
  if (!isLogged(answer.operation)) {
    return [replay.model.readAt(request, { revision, compactRevision: -1 })];
  }
  return replay
    .operationsOf(answer.key)
    .filter((operation) => operation.revision === revision)
    .map(({ reply }) => reply);
}
