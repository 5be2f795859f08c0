// K3: a range at an old revision shows the state as it was then, whoever answers it and whenever.
import { CompactionRequest, OpType } from "@quorate/kv";
import type { Evidence } from "./evidence.ts";
import { demand } from "./violation.ts";

const property = "K3 past ranges";

export function checkPastRanges({ answers, replay }: Evidence): void {
  for (const { operation, text, revision } of answers) {
    const { request } = operation;
    if (revision === null || request instanceof CompactionRequest) continue;
    if (request.type !== OpType.Range || request.revision <= 0) continue;
    // What may be refused is another property's: here nothing counts as compacted.
    const expected = replay.model.readAt(request, { revision, compactRevision: -1 });
    demand(
      text === expected,
      property,
      () =>
        `operation ${operation.id} read "${text}" at revision ${request.revision}, ` +
        `the twin held "${expected}"`,
    );
  }
}
