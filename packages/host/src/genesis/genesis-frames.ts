// What members say to each other before Raft (P1): bodies of frames of type Genesis. Nonsense decodes
// to null.
import { ByteReader, ByteWriter } from "@quorate/base";
import type { NodeId } from "@quorate/raft";
import type { GenesisRecord } from "../peers/peers-api.ts";
import { decodeGenesisRecord, encodeGenesisRecord } from "./genesis-record.ts";

/** On the wire: never reuse a value. */
export const GenesisKind = {
  /** The first by name: who are you? */
  Ask: 1,
  /** Not started; this is my raft id. */
  Answer: 2,
  /** The first by name holds this: hold it too. */
  Offer: 3,
  /** Held, durably. */
  Confirm: 4,
  /** This genesis has started, wherever that was heard. */
  Started: 5,
} as const;
export type GenesisKind = (typeof GenesisKind)[keyof typeof GenesisKind];

export type GenesisFrame =
  | { readonly kind: typeof GenesisKind.Ask; readonly listed: string }
  | { readonly kind: typeof GenesisKind.Answer; readonly raftId: NodeId; readonly listed: string }
  | { readonly kind: typeof GenesisKind.Offer; readonly record: GenesisRecord }
  | { readonly kind: typeof GenesisKind.Confirm; readonly genesisId: number }
  | { readonly kind: typeof GenesisKind.Started; readonly record: GenesisRecord };

export function encodeGenesisFrame(frame: GenesisFrame): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(frame.kind);
  switch (frame.kind) {
    case GenesisKind.Ask:
      writer.text(frame.listed);
      break;
    case GenesisKind.Answer:
      writer.varint(frame.raftId);
      writer.text(frame.listed);
      break;
    case GenesisKind.Confirm:
      writer.varint(frame.genesisId);
      break;
    default:
      writer.lengthBytes(encodeGenesisRecord(frame.record));
  }
  return writer.view();
}

export function decodeGenesisFrame(body: Uint8Array): GenesisFrame | null {
  const reader = new ByteReader(body);
  const frame = read(reader);
  return frame !== null && reader.ok && reader.remaining === 0 ? frame : null;
}

function read(reader: ByteReader): GenesisFrame | null {
  const kind = reader.u8();
  switch (kind) {
    case GenesisKind.Ask:
      return { kind, listed: reader.text() };
    case GenesisKind.Answer:
      return { kind, raftId: reader.varint(), listed: reader.text() };
    case GenesisKind.Confirm:
      return { kind, genesisId: reader.varint() };
    case GenesisKind.Offer:
    case GenesisKind.Started: {
      const record = decodeGenesisRecord(reader.lengthBytes());
      return record === null ? null : { kind, record };
    }
    default:
      return null;
  }
}
