// The entry with which a recovery ends (reliability.md §4.2): evidence for good that the cluster went on
// under another id, from what, by which plan, and how far the revision was raised.
import { ByteReader, ByteWriter } from "@quorate/base";

export interface RecoveredRecord {
  readonly planId: string;
  /** Of the cluster before: its members are told that they are superseded. */
  readonly oldClusterId: string;
  /** By so much the revision goes up: above whatever a client can have seen. */
  readonly revisions: number;
  /** A write that was acknowledged may be missing; somebody has confirmed that. */
  readonly lossAccepted: boolean;
}

export function encodeRecovered(record: RecoveredRecord): Uint8Array {
  const writer = new ByteWriter();
  writer.text(record.planId);
  writer.text(record.oldClusterId);
  writer.varint(record.revisions);
  writer.u8(record.lossAccepted ? 1 : 0);
  return writer.take();
}

export function decodeRecovered(payload: Uint8Array): RecoveredRecord | null {
  const reader = new ByteReader(payload);
  const planId = reader.text();
  const oldClusterId = reader.text();
  const revisions = reader.varint();
  const lossAccepted = reader.u8() === 1;
  return reader.done ? { planId, oldClusterId, revisions, lossAccepted } : null;
}
