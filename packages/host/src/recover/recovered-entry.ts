// The entry with which a recovery ends (reliability.md §4.2): evidence for good that the cluster went on
// under another id, from what, by which plan, and how far the revision was raised.
import { ByteReader, ByteWriter } from "@quorate/base";
import { decodeTexts, encodeTexts } from "../members/member-record.ts";

/** A cluster of which this one is what a recovery has left. */
export interface SupersededCluster {
  /** Its members are told that they are superseded. */
  readonly clusterId: string;
  readonly genesisId: number;
  readonly planId: string;
  /** Wall clock of the recovery. */
  readonly atMs: number;
  /** "host:port" for peers, of the members that were given up. */
  readonly addresses: readonly string[];
}

export interface RecoveredRecord {
  readonly old: SupersededCluster;
  /** By so much the revision goes up: above whatever a client can have seen. */
  readonly revisions: number;
  /** A write that was acknowledged may be missing; somebody has confirmed that. */
  readonly lossAccepted: boolean;
}

export function encodeRecovered(record: RecoveredRecord): Uint8Array {
  const writer = new ByteWriter();
  encodeSuperseded(writer, record.old);
  writer.varint(record.revisions);
  writer.u8(record.lossAccepted ? 1 : 0);
  return writer.take();
}

export function decodeRecovered(payload: Uint8Array): RecoveredRecord | null {
  const reader = new ByteReader(payload);
  const old = decodeSuperseded(reader);
  const revisions = reader.varint();
  const lossAccepted = reader.u8() === 1;
  return reader.done ? { old, revisions, lossAccepted } : null;
}

export function encodeSuperseded(writer: ByteWriter, cluster: SupersededCluster): void {
  writer.text(cluster.clusterId);
  writer.varint(cluster.genesisId);
  writer.text(cluster.planId);
  writer.varint(cluster.atMs);
  encodeTexts(writer, cluster.addresses);
}

export function decodeSuperseded(reader: ByteReader): SupersededCluster {
  const clusterId = reader.text();
  const genesisId = reader.varint();
  const planId = reader.text();
  const atMs = reader.varint();
  return { clusterId, genesisId, planId, atMs, addresses: decodeTexts(reader) };
}
