// Frames as a WebSocket client sends them: masked, whole or as a part of a message.
import type { Opcode } from "../frame-reader.ts";

const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export function clientFrame(
  opcode: Opcode,
  payload: Uint8Array,
  { final = true }: { readonly final?: boolean } = {},
): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  const masked = Buffer.from(payload);
  for (let at = 0; at < length; at += 1) masked[at]! ^= mask[at % mask.length]!;
  return Buffer.concat([head, mask, masked]);
}
