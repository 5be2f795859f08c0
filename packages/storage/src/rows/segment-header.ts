// The first 64 bytes of a row segment: whose it is and by which nonce its rows are sealed. It keeps
// its origin when the segment is transferred to another member of the cluster (P9).
import { crc32c, readU32, readU64, writeU32, writeU64 } from "@quorate/base";
import { idFromBytes, idToBytes } from "../directory/identity.ts";

export const segmentHeaderBytes = 64;
export const segmentFormat = 1;
/** "QROW", little-endian. */
const magic = 0x574f5251;
const u53HighMax = 0x1fffff;

export class SegmentHeader {
  readonly clusterId: string;
  readonly originRaftId: number;
  readonly nonce: number;
  /** Main revision of the first row that was written to it. */
  readonly firstMain: number;

  constructor(clusterId: string, originRaftId: number, nonce: number, firstMain: number) {
    this.clusterId = clusterId;
    this.originRaftId = originRaftId;
    this.nonce = nonce;
    this.firstMain = firstMain;
  }
}

/*
 *  0  4  magic "QROW"
 *  4  4  CRC32C over 8 … 64
 *  8  4  format
 * 12  4  0
 * 16  8  cluster id
 * 24  8  raft id of origin
 * 32  8  nonce
 * 40  8  first revision
 * 48 16  0
 */
export function encodeSegmentHeader(header: SegmentHeader, into: Uint8Array): void {
  into.fill(0, 0, segmentHeaderBytes);
  writeU32(into, 0, magic);
  writeU32(into, 8, segmentFormat);
  into.set(idToBytes(header.clusterId), 16);
  writeU64(into, 24, header.originRaftId);
  writeU64(into, 32, header.nonce);
  writeU64(into, 40, header.firstMain);
  writeU32(into, 4, crc32c(into, 8, segmentHeaderBytes));
}

/** The header, or what is wrong with it. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  if (bytes.length < segmentHeaderBytes) return `only ${bytes.length} bytes long`;
  if (readU32(bytes, 0) !== magic) return "offset 0: not the magic of a row segment";
  if (crc32c(bytes, 8, segmentHeaderBytes) !== readU32(bytes, 4)) {
    return "offset 4: the CRC of the segment header is wrong";
  }
  const format = readU32(bytes, 8);
  if (format !== segmentFormat) return `offset 8: format ${format} is not known`;
  for (const at of [24, 32, 40]) {
    if (readU32(bytes, at + 4) > u53HighMax) return `offset ${at}: a number above 2^53`;
  }
  return new SegmentHeader(
    idFromBytes(bytes.subarray(16, 24)),
    readU64(bytes, 24),
    readU64(bytes, 32),
    readU64(bytes, 40),
  );
}
