// Bytes of unary answers that clients have not taken yet, of all connections together: who asks for much
// and does not read holds it until its call ends. Whoever answers with much asks here first.

export class ReplyBytes {
  readonly #max: number;
  #taken: number;

  constructor(max: number) {
    this.#max = max;
    this.#taken = 0;
  }

  /** No more large answers are begun. Invariant: at most the limit and one answer are held. */
  get full(): boolean {
    return this.#taken >= this.#max;
  }

  get taken(): number {
    return this.#taken;
  }

  take(bytes: number): void {
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
