// WatchResponse bytes → what a client was told: for clients, the simulator's among them, and tests.
import { utf8Decode } from "@quorate/base";
import { noHeader, readHeader, readKeyValue } from "./decode-response.ts";
import { ProtoReader } from "./proto-reader.ts";
import type { KeyValue, ResponseHeader } from "./response.ts";

export interface WatchEvent {
  readonly deleted: boolean;
  /** Of a deleted key: its name and the revision alone. */
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | null;
}

export interface WatchResponse {
  readonly header: ResponseHeader;
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}

/** Null: the bytes are not such a message. */
export function decodeWatchResponse(bytes: Uint8Array): WatchResponse | null {
  const reader = new ProtoReader(bytes);
  const response = {
    header: noHeader,
    watchId: 0,
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: "",
    fragment: false,
  };
  const events: WatchEvent[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        response.header = readHeader(reader);
        break;
      case 0x10:
        response.watchId = reader.int64();
        break;
      case 0x18:
        response.created = reader.bool();
        break;
      case 0x20:
        response.canceled = reader.bool();
        break;
      case 0x28:
        response.compactRevision = reader.int64();
        break;
      case 0x32:
        response.cancelReason = utf8Decode(reader.bytes()) ?? "";
        break;
      case 0x38:
        response.fragment = reader.bool();
        break;
      case 0x5a: {
        const event = readEvent(reader);
        if (event === null) return null;
        events.push(event);
        break;
      }
      default:
        reader.unknown(tag, 11);
    }
  }
  return reader.ok ? { ...response, events } : null;
}

function readEvent(reader: ProtoReader): WatchEvent | null {
  let type = 0;
  let kv: KeyValue | null = null;
  let prevKv: KeyValue | null = null;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) type = reader.int32();
    else if (tag === 0x12) kv = readKeyValue(reader);
    else if (tag === 0x1a) prevKv = readKeyValue(reader);
    else reader.unknown(tag, 3);
  }
  reader.leave(outer);
  return kv === null ? null : { deleted: type === 1, kv, prevKv };
}
