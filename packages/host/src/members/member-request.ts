// What an operator asks for through the API, as it travels from the member that was asked to the
// leader. Ids are drawn before (DESIGN.md 10), so that a repeated request names the same member.
import { ByteReader, ByteWriter } from "@quorate/base";
import { decodeAim, decodeTexts, encodeTexts } from "./member-record.ts";
import type { MemberAim } from "./member-record.ts";

/** On the wire: never reuse a value. */
export const MemberRequestKind = { Add: 1, Remove: 2, Update: 3, Promote: 4 } as const;
export type MemberRequestKind = (typeof MemberRequestKind)[keyof typeof MemberRequestKind];

export type MemberRequest =
  | {
      readonly kind: typeof MemberRequestKind.Add;
      readonly memberId: string;
      /** Empty: it will say so itself. */
      readonly name: string;
      readonly peerUrls: readonly string[];
      readonly aim: MemberAim;
    }
  | {
      readonly kind: typeof MemberRequestKind.Update;
      readonly memberId: string;
      readonly peerUrls: readonly string[];
    }
  | {
      readonly kind: typeof MemberRequestKind.Remove | typeof MemberRequestKind.Promote;
      readonly memberId: string;
    };

const format = 1;

export function encodeMemberRequest(request: MemberRequest): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.u8(request.kind);
  writer.text(request.memberId);
  if (request.kind === MemberRequestKind.Add) {
    writer.text(request.name);
    writer.u8(request.aim);
  }
  if (request.kind === MemberRequestKind.Add || request.kind === MemberRequestKind.Update) {
    encodeTexts(writer, request.peerUrls);
  }
  return writer.take();
}

/** Null: nonsense, or of a newer format. */
export function decodeMemberRequest(bytes: Uint8Array): MemberRequest | null {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== format) return null;
  const request = read(reader);
  return reader.ok && reader.done ? request : null;
}

function read(reader: ByteReader): MemberRequest | null {
  const kind = reader.u8();
  const memberId = reader.text();
  switch (kind) {
    case MemberRequestKind.Add: {
      const name = reader.text();
      const aim = decodeAim(reader);
      return { kind, memberId, name, aim, peerUrls: decodeTexts(reader) };
    }
    case MemberRequestKind.Update:
      return { kind, memberId, peerUrls: decodeTexts(reader) };
    case MemberRequestKind.Remove:
    case MemberRequestKind.Promote:
      return { kind, memberId };
    default:
      return null;
  }
}
