// A member's own word about itself (etcd's "publish"): name and client URLs, in an entry of its own.
import { assert, ByteReader, ByteWriter } from "@quorate/base";
import { decodeMember, encodeMember } from "./member-record.ts";
import type { MemberRecord } from "./member-record.ts";
import type { MembershipTable } from "./membership-table.ts";

/** Payload of an Attributes entry: the whole record as it shall be. */
export function encodeAttributes(member: MemberRecord): Uint8Array {
  const writer = new ByteWriter();
  encodeMember(writer, member);
  return writer.take();
}

export function decodeAttributes(payload: Uint8Array): MemberRecord | null {
  const reader = new ByteReader(payload);
  const member = decodeMember(reader);
  return reader.done ? member : null;
}

/** Name and client URLs of a member that is still the same one; others are left alone. */
export function applyAttributes(table: MembershipTable, payload: Uint8Array): void {
  const attributes = decodeAttributes(payload);
  assert(attributes !== null, "an attributes entry was checked before it was proposed");
  const present = table.byRaftId(attributes.raftId);
  if (present !== null && present.memberId === attributes.memberId) {
    const { name, clientUrls } = attributes;
    table.put(present.with({ name, clientUrls }));
  }
}
