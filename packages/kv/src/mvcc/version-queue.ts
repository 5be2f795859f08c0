// Superseded versions of all keys, in the order in which compaction makes them unreachable. That is
// the order in which they were superseded, so the store of old versions is a queue: new ones at the
// tail, compaction takes from the head, no holes. Records are numbered by a sequence that is never
// reused; those of one key are linked from newer to older, and a link below `head` leads nowhere.
//
// A version dies when the compaction revision reaches the main revision that superseded it. A
// tombstone dies with its own revision, since reading there and not finding is the same.
//
// Each record has a second link that jumps further back (the skew-binary chain of Myers 1983), so
// that an old version of a key with n is found in O(log n) steps.
import { assert } from "@quorate/base";

const CHUNK_BITS = 12;
const CHUNK_RECORDS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_RECORDS - 1;

// A record is 48 bytes in one buffer, so that it costs one or two cache lines: five doubles, then
// two words.
const NUMBERS = 6;
const MAIN = 0;
const REF = 1;
const DIES = 2;
const OLDER = 3;
const JUMP = 4;

const WORDS = 2 * NUMBERS;
const SLOT = 10;
/** Depth in the key's chain × 2, + 1 for a tombstone. */
const DEPTH = 11;

class Chunk {
  readonly numbers: Float64Array;
  readonly words: Uint32Array;

  constructor() {
    this.numbers = new Float64Array(CHUNK_RECORDS * NUMBERS);
    this.words = new Uint32Array(this.numbers.buffer);
  }
}

export class VersionQueue {
  #chunks: Chunk[];
  /** Sequence of the first record of #chunks[0]; a multiple of CHUNK_RECORDS. */
  #base: number;
  #head: number;
  #tail: number;
  /** One emptied chunk is kept, so that a steady state allocates nothing. */
  #spare: Chunk | null;

  constructor() {
    this.#chunks = [];
    this.#base = 0;
    this.#head = 0;
    this.#tail = 0;
    this.#spare = null;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  /** Sequence of the oldest record. */
  get head(): number {
    return this.#head;
  }

  /** `older`: what the key's newest record was before, gone ones and -1 included. */
  push(
    slot: number,
    main: number,
    ref: number,
    tombstone: boolean,
    dies: number,
    older: number,
  ): number {
    const sequence = this.#tail++;
    const offset = sequence - this.#base;
    if (offset >>> CHUNK_BITS === this.#chunks.length) {
      this.#chunks.push(this.#spare ?? new Chunk());
      this.#spare = null;
    }
    let jump = sequence;
    let depth = 0;
    if (older >= this.#head) {
      depth = this.#depth(older) + 1;
      jump = this.#jumpAfter(older);
    }
    const { numbers, words } = this.#chunks[offset >>> CHUNK_BITS]!;
    const at = (offset & CHUNK_MASK) * NUMBERS;
    numbers[at + MAIN] = main;
    numbers[at + REF] = ref;
    numbers[at + DIES] = dies;
    numbers[at + OLDER] = older;
    numbers[at + JUMP] = jump;
    const wordAt = (offset & CHUNK_MASK) * WORDS;
    words[wordAt + SLOT] = slot;
    words[wordAt + DEPTH] = depth * 2 + (tombstone ? 1 : 0);
    return sequence;
  }

  main(sequence: number): number {
    return this.#number(sequence, MAIN);
  }

  ref(sequence: number): number {
    return this.#number(sequence, REF);
  }

  /** The compaction revision from which on nothing can reach it. */
  dies(sequence: number): number {
    return this.#number(sequence, DIES);
  }

  slot(sequence: number): number {
    return this.#word(sequence, SLOT);
  }

  tombstone(sequence: number): boolean {
    return (this.#word(sequence, DEPTH) & 1) === 1;
  }

  /** From `sequence` back in its key's chain: the newest record with main ≤ `revision`; or -1. */
  findAt(sequence: number, revision: number): number {
    let at = sequence;
    while (at >= this.#head && this.main(at) > revision) {
      const jump = this.#number(at, JUMP);
      const far = jump >= this.#head && jump !== at && this.main(jump) > revision;
      at = far ? jump : this.#number(at, OLDER);
    }
    return at >= this.#head ? at : -1;
  }

  /** Drops the oldest record. */
  shift(): void {
    assert(this.#head < this.#tail, "VersionQueue.shift: nothing there");
    this.#head++;
    if (this.#head - this.#base === CHUNK_RECORDS) {
      this.#spare = this.#chunks.shift()!;
      this.#base += CHUNK_RECORDS;
    }
  }

  // Equal jumps behind `older` are joined into one of double length.
  #jumpAfter(older: number): number {
    const jump = this.#number(older, JUMP);
    if (jump < this.#head) return older;
    const jumpOfJump = this.#number(jump, JUMP);
    if (jumpOfJump < this.#head) return older;
    const near = this.#depth(older) - this.#depth(jump);
    const far = this.#depth(jump) - this.#depth(jumpOfJump);
    return near === far ? jumpOfJump : older;
  }

  #depth(sequence: number): number {
    return this.#word(sequence, DEPTH) >>> 1;
  }

  #number(sequence: number, column: number): number {
    const offset = sequence - this.#base;
    const chunk = this.#chunks[offset >>> CHUNK_BITS]!;
    return chunk.numbers[(offset & CHUNK_MASK) * NUMBERS + column]!;
  }

  #word(sequence: number, column: number): number {
    const offset = sequence - this.#base;
    return this.#chunks[offset >>> CHUNK_BITS]!.words[(offset & CHUNK_MASK) * WORDS + column]!;
  }
}
