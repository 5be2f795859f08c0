// Writes etcd's WatchResponse and the events in it, as etcd 3.4 does.
import type { Row } from "../rows.ts";
import { writeHeader, writeKeyValue } from "./encode-response.ts";
import type { HeaderSource } from "./encode-response.ts";
import type { ProtoWriter } from "./proto-writer.ts";

const EventTag = { Type: 0x08, Kv: 0x12, PrevKv: 0x1a } as const;
const WatchTag = {
  WatchId: 0x10,
  Created: 0x18,
  Canceled: 0x20,
  CompactRevision: 0x28,
  CancelReason: 0x32,
  Fragment: 0x38,
  Events: 0x5a,
} as const;
const deleteType = 1;

/** One event as the field `events` of a response. Of a deleted key: name and revision alone. */
export function encodeEvent(writer: ProtoWriter, row: Row, previous: Row | null): Uint8Array {
  writer.reset();
  const start = writer.begin(WatchTag.Events);
  if (row.tombstone) {
    writer.uint(EventTag.Type, deleteType);
    const kv = writer.begin(EventTag.Kv);
    writer.bytes(0x0a, row.key);
    writer.uint(0x18, row.main);
    writer.end(kv);
  } else {
    writeKeyValue(writer, EventTag.Kv, row, true);
  }
  if (previous !== null) writeKeyValue(writer, EventTag.PrevKv, previous, true);
  writer.end(start);
  return writer.take();
}

/** What a response says besides its events; what is left out is zero. */
export interface WatchAnswer {
  readonly watchId: number;
  /** 0: the header names none. */
  readonly revision: number;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compactRevision?: number;
  readonly cancelReason?: Uint8Array;
  readonly fragment?: boolean;
}

/** `events`: encoded fields, from `from` to `to`. */
export function encodeWatchResponse(
  writer: ProtoWriter,
  header: HeaderSource,
  answer: WatchAnswer,
  events: Uint8Array,
): Uint8Array {
  writer.reset();
  writeHeader(writer, header, answer.revision);
  writer.int64(WatchTag.WatchId, answer.watchId);
  writer.bool(WatchTag.Created, answer.created === true);
  writer.bool(WatchTag.Canceled, answer.canceled === true);
  writer.int64(WatchTag.CompactRevision, answer.compactRevision ?? 0);
  if (answer.cancelReason !== undefined) writer.bytes(WatchTag.CancelReason, answer.cancelReason);
  writer.bool(WatchTag.Fragment, answer.fragment === true);
  writer.raw(events);
  return writer.take();
}
