// etcd's member and cluster ids (etcd-api.md M3): the first eight bytes of SHA-1 over sorted URLs and
// token, and over the sorted member ids. Clients and tests see exactly these numbers.
import { createHash } from "node:crypto";

/** 16 hex digits. */
export function memberIdOf(peerUrls: readonly string[], token: string): string {
  const hash = createHash("sha1");
  hash.update([...peerUrls].sort().join(""));
  hash.update(token);
  return hash.digest("hex").slice(0, 16);
}

/** Of a member that is added to a running cluster: without the token, and with the time in seconds. */
export function addedMemberIdOf(peerUrls: readonly string[], nowMs: number): string {
  return memberIdOf(peerUrls, String(Math.floor(nowMs / 1000)));
}

/** 16 hex digits. */
export function clusterIdOf(memberIds: readonly string[]): string {
  const hash = createHash("sha1");
  for (const id of [...memberIds].sort()) {
    hash.update(Buffer.from(id, "hex"));
  }
  return hash.digest("hex").slice(0, 16);
}

/** As a message carries it. */
export function idOf(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

export function hexOf(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}
