// What the members of a recovered cluster tell those of the cluster before it, at their addresses, before
// any hello (body of the frame Superseded). Whoever says it knows the old genesis, which is drawn at
// random and told to members only: a stranger that happens to know the cluster's id is not believed.
import { ByteReader, ByteWriter } from "@quorate/base";

export interface SupersededNotice {
  /** The cluster that lost its quorum, and its genesis. */
  readonly clusterId: string;
  readonly genesisId: number;
  /** As what it goes on, by which plan. */
  readonly newClusterId: string;
  readonly planId: string;
}

const format = 1;
const idCharsMax = 64;

export function encodeNotice(notice: SupersededNotice): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.text(notice.clusterId);
  writer.varint(notice.genesisId);
  writer.text(notice.newClusterId);
  writer.text(notice.planId);
  return writer.take();
}

export function decodeNotice(body: Uint8Array): SupersededNotice | null {
  const reader = new ByteReader(body);
  if (reader.u8() !== format) return null;
  const clusterId = reader.text();
  const genesisId = reader.varint();
  const newClusterId = reader.text();
  const planId = reader.text();
  const texts = [clusterId, newClusterId, planId];
  const sane = reader.done && texts.every((text) => text.length <= idCharsMax);
  return sane && genesisId > 0 ? { clusterId, genesisId, newClusterId, planId } : null;
}

export function describeNotice({ clusterId, newClusterId, planId }: SupersededNotice): string {
  return `cluster ${clusterId} lost its quorum and goes on as ${newClusterId}, by plan ${planId}`;
}
