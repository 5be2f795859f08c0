// W1 to W8 and W10 of reliability.md §2.2: what a watcher was told is what the committed log did to its
// keys, from its first revision on, each revision once, whole, in order, whatever members it asked; a
// word of progress leaves nothing before it untold.
import { latin1Decode } from "@quorate/base";
import type { WatchRequest } from "@quorate/kv";
import type { WatchRecord } from "../client/watch-history.ts";
import { kvText } from "../model/canonical.ts";
import type { Change, KvModel } from "../model/kv-model.ts";
import { isInRange, rangeEndOf } from "../model/range-model.ts";
import { demand } from "./violation.ts";

/** What the twin did in one revision to the keys of a watcher. */
interface Expected {
  readonly revision: number;
  readonly events: readonly string[];
  readonly bare: readonly string[];
}

export function checkWatches(records: readonly WatchRecord[], model: KvModel): void {
  const changes = model.changes();
  for (const record of records) {
    const { start } = record;
    if (start === null) continue;
    const expected = expectedOf(changes, record.request, start);
    checkEvents(record, expected, model.compactRevision);
    checkClaims(record, expected);
    checkCompacted(record, model.compactRevision);
  }
}

function checkEvents(
  { id, told }: WatchRecord,
  expected: readonly Expected[],
  compactRevision: number,
): void {
  for (let at = 0; at < told.length; at += 1) {
    const heard = told[at]!;
    const due = expected[at];
    const property =
      due === undefined || heard.revision < due.revision
        ? "W2 each event once, W8 none before its time"
        : heard.revision > due.revision
          ? "W4 no event is left out"
          : "W3 whole revisions, W7 right events";
    // What stood before may have been compacted when it was told.
    const lacks = heard.revision - 1 < compactRevision;
    const same = due !== undefined && sameEvents(heard, due, lacks);
    demand(
      same && heard.revision === due.revision,
      property,
      () =>
        `watcher ${id} was told as number ${at} of ${heard.revision} [${heard.events.join("; ")}]` +
        `, and due was ${due?.revision ?? "nothing"} [${due?.events.join("; ") ?? ""}]`,
    );
  }
}

function sameEvents(heard: Expected, due: Expected, mayLackPrevious: boolean): boolean {
  if (heard.events.join("\n") === due.events.join("\n")) return true;
  if (!mayLackPrevious || heard.bare.join("\n") !== due.bare.join("\n")) return false;
  return heard.events.every((text) => due.events.includes(text) || heard.bare.includes(text));
}

function checkClaims({ id, claims }: WatchRecord, expected: readonly Expected[]): void {
  for (const { revision, toldCount } of claims) {
    const next = expected[toldCount];
    demand(
      next === undefined || next.revision > revision,
      "W6 progress leaves nothing untold",
      () => `watcher ${id}: progress at ${revision}, and ${next!.revision} had not been told`,
    );
  }
}

/** W9: an end for compaction needs one, above what would be told next. */
function checkCompacted({ id, compacted }: WatchRecord, compactRevision: number): void {
  if (compacted === null) return;
  demand(
    compacted.next < compacted.compactRevision && compacted.compactRevision <= compactRevision,
    "W9 compacted watchers end",
    () =>
      `watcher ${id} at ${compacted.next} was ended for compaction at ` +
      `${compacted.compactRevision}; the log's last was at ${compactRevision}`,
  );
}

function expectedOf(changes: readonly Change[], request: WatchRequest, start: number): Expected[] {
  const key = latin1Decode(request.key);
  const end = request.rangeEnd.length === 0 ? `${key}\0` : rangeEndOf(request.rangeEnd);
  const expected: Expected[] = [];
  let due: { revision: number; events: string[]; bare: string[] } | null = null;
  for (const { main, key: changed, live, before } of changes) {
    if (main < start || !isInRange(changed, key, end)) continue;
    if (live === null ? request.noDeletes : request.noPuts) continue;
    if (due === null || due.revision !== main) {
      due = { revision: main, events: [], bare: [] };
      expected.push(due);
    }
    const bare = live === null ? `${changed} deleted` : kvText(live);
    due.bare.push(bare);
    due.events.push(request.prevKv && before !== null ? `${bare} was ${kvText(before)}` : bare);
  }
  for (const { events, bare } of expected) {
    (events as string[]).sort();
    (bare as string[]).sort();
  }
  return expected;
}
