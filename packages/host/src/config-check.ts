// Relations between a member's settings, asserted before it does anything (rule 18 of the house).
import { assert } from "@quorate/base";
import { walPayloadBytesMax } from "@quorate/storage";
import type { HostConfig } from "./host-api.ts";
import { urlsMax } from "./members/member-record.ts";
import { frameBodyBytesMax } from "./peers/frame.ts";
import { envelopeBytesMax } from "./raft-settings.ts";

/** Of a message beside the payload of its only entry. */
const besidePayloadBytesMax = 65_536;

export function checkConfig(config: HostConfig): void {
  assert(
    config.members.some((m) => m.memberId === config.memberId),
    "this member is one of the listed members",
  );
  assert(config.clientUrls.length <= urlsMax, "client URLs fit into the membership table");
  assert(
    config.requestBytesMax <= requestBytesLimit(config.storage.walSegmentBytes),
    "the largest request fits into a segment of the WAL",
  );
}

/** Largest requestBytesMax: an entry must fit into a segment of the WAL and into a frame. */
export function requestBytesLimit(walSegmentBytes: number): number {
  const payload = Math.min(
    walPayloadBytesMax(walSegmentBytes),
    frameBodyBytesMax - besidePayloadBytesMax,
  );
  return payload - envelopeBytesMax;
}
