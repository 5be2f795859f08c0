// Large unary answers on their way, and whether their clients take them: one that has taken nothing for a
// minute, or not all in ten, is let go with its connection. Small answers are bounded by their number.

/** Nothing smaller is looked after. */
export const largeReplyBytes = 65_536;
const silentMsMax = 60_000;
const wholeMsMax = 600_000;

export interface UntakenReply {
  /** Bytes that have left on its connection so far. */
  sent(): number;
  /** Ends its connection. */
  letGo(): void;
}

interface Seen {
  readonly sinceMs: number;
  sent: number;
  sentMs: number;
}

export class UntakenReplies {
  readonly #replies: Map<UntakenReply, Seen>;

  constructor() {
    this.#replies = new Map();
  }

  add(reply: UntakenReply, nowMs: number): void {
    this.#replies.set(reply, { sinceMs: nowMs, sent: reply.sent(), sentMs: nowMs });
  }

  delete(reply: UntakenReply): void {
    this.#replies.delete(reply);
  }

  get count(): number {
    return this.#replies.size;
  }

  /** Every now and then. */
  look(nowMs: number): void {
    for (const [reply, seen] of this.#replies) {
      const sent = reply.sent();
      if (sent !== seen.sent) {
        seen.sent = sent;
        seen.sentMs = nowMs;
      }
      const isLate = nowMs - seen.sentMs >= silentMsMax || nowMs - seen.sinceMs >= wholeMsMax;
      if (!isLate) continue;
      this.#replies.delete(reply);
      reply.letGo();
    }
  }
}
