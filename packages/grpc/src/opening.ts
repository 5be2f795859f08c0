// The first frames of an HTTP/2 connection, looked at before the session gets them: the header block of
// the first request carries :authority, which may need mending (authority.ts). Clients send it only when
// they have had the server's SETTINGS, so those are sent from here; the session sends its own later, and
// never sees the acknowledgement of these.
import type { Duplex } from "node:stream";
import { mendAuthority } from "./authority.ts";

const prefaceBytes = 24;
const headerBytes = 9;
/** So much may come before the first request; more is the session's business. */
const openingBytesMax = 65_536;

const FrameType = { Headers: 1, Priority: 2, Settings: 4, WindowUpdate: 8 } as const;
const Flag = { Ack: 1, EndHeaders: 4, Padded: 8, Priority: 32 } as const;

/** SETTINGS that change nothing. */
const emptySettings: Uint8Array = Uint8Array.of(0, 0, 0, FrameType.Settings, 0, 0, 0, 0, 0);

export const OpeningStep = { Wait: 1, Greet: 2, Done: 3 } as const;
export type OpeningStep = (typeof OpeningStep)[keyof typeof OpeningStep];

export class Opening {
  #bytes: Buffer;
  #greeted: boolean;
  /** Where the acknowledgement of our SETTINGS stands; -1: not come. */
  #ackAt: number;

  constructor() {
    this.#bytes = Buffer.alloc(0);
    this.#greeted = false;
    this.#ackAt = -1;
  }

  /** Everything that came, mended, without the acknowledgement. */
  get bytes(): Buffer {
    if (this.#ackAt < 0) return this.#bytes;
    const rest = this.#bytes.subarray(this.#ackAt + headerBytes);
    return Buffer.concat([this.#bytes.subarray(0, this.#ackAt), rest]);
  }

  feed(chunk: Uint8Array): OpeningStep {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const { settled, settings } = this.#look();
    if (settled) return this.#greeted && this.#ackAt < 0 ? OpeningStep.Wait : OpeningStep.Done;
    if (this.#greeted || !settings) return OpeningStep.Wait;
    this.#greeted = true;
    return OpeningStep.Greet;
  }

  /** `settled`: the first request is whole, or there is nothing to wait for; `settings`: theirs came. */
  #look(): { readonly settled: boolean; readonly settings: boolean } {
    const bytes = this.#bytes;
    let settings = false;
    let settled = bytes.length > openingBytesMax;
    for (let at = prefaceBytes; at + headerBytes <= bytes.length;) {
      const end = at + headerBytes + bytes.readUIntBE(at, 3);
      const type = bytes[at + 3];
      if (end > bytes.length) break;
      if (type === FrameType.Settings) {
        settings = true;
        const isAck = (bytes[at + 4]! & Flag.Ack) !== 0;
        if (isAck && this.#greeted && this.#ackAt < 0) this.#ackAt = at;
      } else if (type === FrameType.Headers) {
        if (!settled) mendAuthority(blockOf(bytes.subarray(at, end)));
        settled = true;
      } else if (type !== FrameType.WindowUpdate && type !== FrameType.Priority) {
        settled = true;
      }
      at = end;
    }
    return { settled, settings };
  }
}

/** The header block of a HEADERS frame. */
function blockOf(frame: Uint8Array): Uint8Array {
  const flags = frame[4]!;
  let from = headerBytes;
  let to = frame.length;
  if ((flags & Flag.Padded) !== 0) to -= frame[from++] ?? 0;
  if ((flags & Flag.Priority) !== 0) from += 5;
  return frame.subarray(from, Math.max(from, to));
}

/** For the preface and SETTINGS; a connection without a request may then wait as long as it likes. */
const openingMsMax = 10_000;

/** `opened`: the socket gives all its bytes again, mended, to whoever reads it next. */
export function openHttp2(
  socket: Duplex,
  opened: () => void,
  timeoutMs: number = openingMsMax,
): void {
  const opening = new Opening();
  const timer = setTimeout(() => socket.destroy(), timeoutMs).unref();
  socket.on("close", () => clearTimeout(timer));
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    const step = opening.feed(chunk);
    if (step !== OpeningStep.Wait) clearTimeout(timer);
    if (step === OpeningStep.Greet) socket.write(emptySettings);
    if (step !== OpeningStep.Done) return;
    socket.off("readable", onReadable);
    socket.unshift(opening.bytes);
    opened();
  };
  socket.on("readable", onReadable);
  onReadable();
}
