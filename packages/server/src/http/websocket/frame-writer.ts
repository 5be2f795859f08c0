// What a WebSocket server sends (RFC 6455 §5): whole, unmasked frames.
import { CloseCode, Opcode } from "./frame-reader.ts";

export function frame(opcode: Opcode, payload: Uint8Array): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = Buffer.allocUnsafe(2 + lengthBytes + length);
  bytes[0] = 0x80 | opcode;
  bytes[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  if (lengthBytes === 2) bytes.writeUInt16BE(length, 2);
  if (lengthBytes === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  bytes.set(payload, 2 + lengthBytes);
  return bytes;
}

export function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(code === CloseCode.NoStatus ? 0 : 2);
  if (payload.length > 0) payload.writeUInt16BE(code);
  return frame(Opcode.Close, payload);
}
