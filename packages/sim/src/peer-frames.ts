// The Raft messages in what one member sends another, for checkers that look at the wire. A send
// carries whole frames; everything that is no Raft message is passed over.
import { ByteReader, readU32 } from "@quorate/base";
import { decodeMessage, type Message, type MessageType } from "@quorate/raft";

/** Of host/peers/frame.ts: the header's size, and the frame type of a Raft message. */
const headerBytes = 24;
const messageFrame = 16;

/** Decodes only messages of the wanted types: most traffic is heartbeats. */
export function raftMessagesIn(bytes: Uint8Array, wanted: ReadonlySet<MessageType>): Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at + headerBytes <= bytes.length) {
    const length = readU32(bytes, at);
    const body = at + headerBytes;
    if (bytes[at + 4] === messageFrame && wanted.has(bytes[body]! as MessageType)) {
      const message = decodeMessage(new ByteReader(bytes.subarray(body, body + length)));
      if (message !== null) messages.push(message);
    }
    at = body + length;
  }
  return messages;
}
