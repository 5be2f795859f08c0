// What the network damages is never believed: a link on which a frame with a wrong checksum came is
// ended by its receiver before anything else of it is read. Only who has refused the other side, or
// has answered what one that joins asked, reads no more in any case, and waits for the other to go.
import { demand } from "./violation.ts";

/** Of host/peers/frame.ts: where a frame's type stands, and those after which nothing is read. */
const typeAt = 4;
const lastFrames: ReadonlySet<number> = new Set([2, 6]);

/** `lastSent`: the newest bytes that the receiver sent on that link; null: none. */
export function checkDamageTaken(receiver: string, lastSent: Uint8Array | null): void {
  demand(
    lastSent !== null && lastFrames.has(lastSent[typeAt]!),
    "damaged frames end their link",
    () => `${receiver} took a damaged send and goes on reading`,
  );
}
