// Batches between their write and their acknowledgement. Several may be written while one sync is
// in flight; a sync covers exactly the batches whose writes had completed when it was issued; the
// acknowledgements come in the order of the batches. At most one sync runs at a time and segments
// are synced in order, so that `durableSeq` never jumps over a batch of an older segment (P8).
import { assert, ByteWriter, must, Ring } from "@quorate/base";
import type { DiskDone, DiskError } from "../env.ts";
import type { Segment } from "./segment.ts";
import { walAppendsInFlightMax } from "./wal-api.ts";

const writerBytes = 65_536;
/** A writer that grew larger is given back to the collector. */
const writerKeptBytesMax = 1_048_576;
const idleFlightsMax = 16;

/** One batch under way: its bytes until they are written, its caller until it is done. */
export class Flight {
  seq: number;
  segment: Segment | null;
  offset: number;
  mustSync: boolean;
  written: boolean;
  done: (() => void) | null;
  writer: ByteWriter;
  /** Made once: a flight is used again and again. */
  readonly onWritten: DiskDone;

  constructor(queue: CommitQueue) {
    this.seq = 0;
    this.segment = null;
    this.offset = 0;
    this.mustSync = false;
    this.written = false;
    this.done = null;
    this.writer = new ByteWriter(writerBytes);
    this.onWritten = (error) => queue.onWritten(this, error);
  }
}

/** Batches of one segment that no sync has covered yet. */
interface Unsynced {
  readonly segment: Segment;
  lastSeq: number;
}

export class CommitQueue {
  #flights: Ring<Flight>;
  #idle: Flight[];
  #unsynced: Unsynced[];
  #writtenSeq: number;
  #durableSeq: number;
  /** The newest written batch that waits for a sync. */
  #wantedSeq: number;
  #syncing: boolean;
  #syncs: number;
  #fail: (error: DiskError) => never;
  /** Called whenever the last batch in flight is done. */
  #drained: () => void;

  constructor(durableSeq: number, fail: (error: DiskError) => never, drained: () => void) {
    this.#flights = new Ring(walAppendsInFlightMax);
    this.#idle = [];
    this.#unsynced = [];
    this.#writtenSeq = durableSeq;
    this.#durableSeq = durableSeq;
    this.#wantedSeq = durableSeq;
    this.#syncing = false;
    this.#syncs = 0;
    this.#fail = fail;
    this.#drained = drained;
  }

  /** Invariant: durableSeq ≤ writtenSeq, and every batch up to writtenSeq is written. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  get inFlight(): number {
    return this.#flights.size;
  }

  get syncs(): number {
    return this.#syncs;
  }

  /** An empty flight; its writer is ready. */
  take(): Flight {
    return this.#idle.pop() ?? new Flight(this);
  }

  submit(flight: Flight): void {
    const segment = must(flight.segment, "commit queue: a flight without a segment");
    const file = must(segment.file, "commit queue: the segment is closed");
    const newest = this.#unsynced.at(-1);
    if (newest?.segment === segment) newest.lastSeq = flight.seq;
    else this.#unsynced.push({ segment, lastSeq: flight.seq });
    assert(this.#flights.push(flight), "commit queue: more appends in flight than allowed");
    file.write(flight.offset, flight.writer.view(), flight.onWritten);
  }

  onWritten(flight: Flight, error: DiskError | null): void {
    if (error !== null) this.#fail(error);
    assert(!flight.written && flight.segment !== null, "commit queue: a write completed twice");
    flight.written = true;
    this.#advanceWritten();
    this.#maybeSync();
    this.#acknowledge();
  }

  /** Moves over the batches written without a gap. */
  #advanceWritten(): void {
    if (this.#flights.size === 0) return;
    const first = this.#flights.at(0).seq;
    for (let at = this.#writtenSeq + 1 - first; at < this.#flights.size; at++) {
      const flight = this.#flights.at(at);
      if (!flight.written) return;
      assert(flight.seq === this.#writtenSeq + 1, "commit queue: a seq is missing");
      this.#writtenSeq = flight.seq;
      if (flight.mustSync) this.#wantedSeq = flight.seq;
    }
  }

  #maybeSync(): void {
    if (this.#syncing || this.#wantedSeq <= this.#durableSeq) return;
    this.#forgetSynced();
    const oldest = must(this.#unsynced[0], "commit queue: nothing to sync");
    const target =
      this.#unsynced.length > 1 ? Math.min(this.#writtenSeq, oldest.lastSeq) : this.#writtenSeq;
    assert(target > this.#durableSeq, "commit queue: a sync that covers nothing");
    this.#syncing = true;
    must(oldest.segment.file, "commit queue: synced after closing").sync((error) => {
      if (error !== null) this.#fail(error);
      this.#syncing = false;
      this.#syncs++;
      this.#durableSeq = target;
      this.#forgetSynced();
      // First the next sync, for the disk's sake, then the callers.
      this.#maybeSync();
      this.#acknowledge();
    });
  }

  /** A segment that is written up and durable is not needed open any more. */
  #forgetSynced(): void {
    while (this.#unsynced.length > 1 && this.#unsynced[0]!.lastSeq <= this.#durableSeq) {
      this.#unsynced.shift()!.segment.close();
    }
  }

  #acknowledge(): void {
    const before = this.#flights.size;
    while (this.#flights.size > 0) {
      const flight = this.#flights.at(0);
      if (flight.seq > (flight.mustSync ? this.#durableSeq : this.#writtenSeq)) return;
      this.#flights.shift();
      const done = flight.done;
      this.#release(flight);
      done?.();
    }
    if (before > 0) this.#drained();
  }

  #release(flight: Flight): void {
    flight.segment = null;
    flight.done = null;
    flight.written = false;
    const large = flight.writer.length > writerKeptBytesMax;
    flight.writer.reset();
    if (!large && this.#idle.length < idleFlightsMax) this.#idle.push(flight);
  }
}
