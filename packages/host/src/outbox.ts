// Messages that may leave only when what they speak of is durable (law R2): vote requests, vote
// grants and append answers, each parked under the persist batch it waits for.
import { assert } from "@quorate/base";
import type { Message, PersistSeq } from "@quorate/raft";

export class Outbox {
  /** Parallel queues in order of seq. */
  #messages: Message[];
  #seqs: PersistSeq[];
  #head: number;
  #durable: PersistSeq;
  readonly #send: (message: Message) => void;

  constructor(send: (message: Message) => void) {
    this.#messages = [];
    this.#seqs = [];
    this.#head = 0;
    this.#durable = 0;
    this.#send = send;
  }

  get size(): number {
    return this.#messages.length - this.#head;
  }

  /** Sends at once when `seq` is durable already. */
  park(seq: PersistSeq, messages: readonly Message[]): void {
    if (messages.length === 0) {
      return;
    }
    const last = this.#seqs.length > this.#head ? this.#seqs[this.#seqs.length - 1]! : 0;
    assert(seq >= last || seq <= this.#durable, "messages are parked in order of their batches");
    for (const message of messages) {
      if (seq <= this.#durable) {
        this.#send(message);
      } else {
        this.#messages.push(message);
        this.#seqs.push(seq);
      }
    }
  }

  /** Everything that waits for a batch ≤ `seq` leaves, in order. */
  durable(seq: PersistSeq): void {
    assert(seq >= this.#durable, "batches become durable in order");
    this.#durable = seq;
    while (this.#head < this.#messages.length && this.#seqs[this.#head]! <= seq) {
      this.#send(this.#messages[this.#head]!);
      this.#head += 1;
    }
    if (this.#head === this.#messages.length) {
      this.#messages.length = 0;
      this.#seqs.length = 0;
      this.#head = 0;
    }
  }
}
