// etcd's WatchRequest: what a client asks of its stream of watchers, from bytes and (for clients,
// simulated ones too) to bytes.
import { emptyBytes } from "@quorate/base";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

export const WatchAsk = { Nothing: 0, Create: 1, Cancel: 2, Progress: 3 } as const;
export type WatchAsk = (typeof WatchAsk)[keyof typeof WatchAsk];

const filterNoPut = 0;
const filterNoDelete = 1;

export class WatchRequest {
  /** The last of several counts, as in every oneof. */
  ask: WatchAsk;
  key: Uint8Array;
  rangeEnd: Uint8Array;
  startRevision: number;
  progressNotify: boolean;
  noPuts: boolean;
  noDeletes: boolean;
  prevKv: boolean;
  /** Of the watcher to create (0: the server's choice) or to cancel; exact below 2^53. */
  watchId: number;
  fragment: boolean;

  constructor(fields: Partial<WatchRequest> | null = null) {
    this.ask = WatchAsk.Nothing;
    this.key = emptyBytes;
    this.rangeEnd = emptyBytes;
    this.startRevision = 0;
    this.progressNotify = false;
    this.noPuts = false;
    this.noDeletes = false;
    this.prevKv = false;
    this.watchId = 0;
    this.fragment = false;
    if (fields !== null) Object.assign(this, fields);
  }
}

/** Null: the bytes are not such a message. */
export function decodeWatchRequest(bytes: Uint8Array): WatchRequest | null {
  const reader = new ProtoReader(bytes);
  let request = new WatchRequest();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) {
      reader.unknown(tag, 3);
      continue;
    }
    request = new WatchRequest({ ask: (tag >>> 3) as WatchAsk });
    const outer = reader.enter();
    if (tag === 0x0a) readCreate(reader, request);
    else if (tag === 0x12) readCancel(reader, request);
    else readNothing(reader);
    reader.leave(outer);
  }
  return reader.ok ? request : null;
}

function readCreate(reader: ProtoReader, request: WatchRequest): void {
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        request.key = reader.bytes();
        break;
      case 0x12:
        request.rangeEnd = reader.bytes();
        break;
      case 0x18:
        request.startRevision = reader.int64();
        break;
      case 0x20:
        request.progressNotify = reader.bool();
        break;
      case 0x28:
        takeFilter(request, reader.int32());
        break;
      case 0x2a:
        readPackedFilters(reader, request);
        break;
      case 0x30:
        request.prevKv = reader.bool();
        break;
      case 0x38:
        request.watchId = reader.int64();
        break;
      case 0x40:
        request.fragment = reader.bool();
        break;
      default:
        reader.unknown(tag, 8);
    }
  }
}

function readPackedFilters(reader: ProtoReader, request: WatchRequest): void {
  const packed = new ProtoReader(reader.bytes());
  while (packed.more) takeFilter(request, packed.int32());
  if (!packed.ok) reader.fail();
}

/** etcd knows two, and passes over others. */
function takeFilter(request: WatchRequest, filter: number): void {
  if (filter === filterNoPut) request.noPuts = true;
  else if (filter === filterNoDelete) request.noDeletes = true;
}

function readCancel(reader: ProtoReader, request: WatchRequest): void {
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) request.watchId = reader.int64();
    else reader.unknown(tag, 1);
  }
}

function readNothing(reader: ProtoReader): void {
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) reader.unknown(tag, 0);
}

export function encodeWatchRequest(request: WatchRequest): Uint8Array {
  const writer = new ProtoWriter();
  if (request.ask === WatchAsk.Nothing) return writer.take();
  const start = writer.begin(request.ask * 8 + 2);
  if (request.ask === WatchAsk.Create) writeCreate(writer, request);
  else if (request.ask === WatchAsk.Cancel) writer.int64(0x08, request.watchId);
  writer.end(start);
  return writer.take();
}

function writeCreate(writer: ProtoWriter, request: WatchRequest): void {
  writer.bytes(0x0a, request.key);
  writer.bytes(0x12, request.rangeEnd);
  writer.int64(0x18, request.startRevision);
  writer.bool(0x20, request.progressNotify);
  const filters = [
    ...(request.noPuts ? [filterNoPut] : []),
    ...(request.noDeletes ? [filterNoDelete] : []),
  ];
  writer.bytes(0x2a, Uint8Array.from(filters));
  writer.bool(0x30, request.prevKv);
  writer.int64(0x38, request.watchId);
  writer.bool(0x40, request.fragment);
}
