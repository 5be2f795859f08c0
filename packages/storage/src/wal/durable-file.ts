// The second copy of durableSeq, apart from the log: 4 KiB with two slots, written in turn, so that
// a torn write spoils at most the older statement (P8). It proves that batches once stood where the
// log now ends early; it never proves that they are there.
//
//   slot = magic u32 | format u16 | zero u16 | cluster id, 8 bytes | raft id u64 | turn u64
//        | durableSeq u64 | crc u32          at 0 and at 2048
import {
  assert,
  crc32c,
  equalBytes,
  readU16,
  readU32,
  writeU16,
  writeU32,
  writeU64,
} from "@quorate/base";
import { DiskError } from "../env.ts";
import type { Disk, DiskFile } from "../env.ts";
import type { WalIdentity } from "./batch-header.ts";
import { durableMagic, u64OrNone, walFormat } from "./wal-format.ts";

export const durableName = "wal-durable";
export const durableFileBytes = 4096;
const slotBytes = 512;
const slotOffsets = [0, 2048] as const;
const crcAt = 40;

export interface DurableSlot {
  readonly turn: number;
  readonly durableSeq: number;
}

export function encodeDurableSlot(identity: WalIdentity, slot: DurableSlot): Uint8Array {
  const bytes = new Uint8Array(slotBytes);
  writeU32(bytes, 0, durableMagic);
  writeU16(bytes, 4, walFormat);
  bytes.set(identity.clusterId, 8);
  writeU64(bytes, 16, identity.raftId);
  writeU64(bytes, 24, slot.turn);
  writeU64(bytes, 32, slot.durableSeq);
  writeU32(bytes, crcAt, crc32c(bytes, 0, crcAt));
  return bytes;
}

/** The newest slot that checks and is this member's; turn 0 and seq 0 when there is none. */
export function readDurableFile(content: Uint8Array, identity: WalIdentity): DurableSlot {
  let newest: DurableSlot = { turn: 0, durableSeq: 0 };
  for (const at of slotOffsets) {
    const slot = parseSlot(content.subarray(at, at + slotBytes), identity);
    if (slot !== null && slot.turn > newest.turn) newest = slot;
  }
  return newest;
}

/** The same of the file in a directory; a slot that cannot be read says nothing, the other one may. */
export function readDurableFileNow(
  disk: Disk,
  directory: string,
  identity: WalIdentity,
): DurableSlot {
  const content = new Uint8Array(durableFileBytes);
  const file = disk.openNow(`${directory}/${durableName}`, false);
  if (!(file instanceof DiskError)) {
    for (const at of slotOffsets) {
      const slot = content.subarray(at, at + slotBytes);
      if (file.readNow(at, slot) instanceof DiskError) slot.fill(0);
    }
    file.close();
  }
  return readDurableFile(content, identity);
}

function parseSlot(bytes: Uint8Array, identity: WalIdentity): DurableSlot | null {
  if (bytes.length < slotBytes || readU32(bytes, 0) !== durableMagic) return null;
  if (crc32c(bytes, 0, crcAt) !== readU32(bytes, crcAt)) return null;
  const turn = u64OrNone(bytes, 24);
  const durableSeq = u64OrNone(bytes, 32);
  const ours =
    readU16(bytes, 4) === walFormat &&
    u64OrNone(bytes, 16) === identity.raftId &&
    equalBytes(bytes.subarray(8, 16), identity.clusterId);
  return ours && turn >= 1 && durableSeq >= 0 ? { turn, durableSeq } : null;
}

/** Writes the copies one after the other; requests that come meanwhile share the next one. */
export class DurableFile {
  #file: DiskFile;
  #identity: WalIdentity;
  #last: DurableSlot;
  #fail: (error: DiskError) => never;
  #busy: boolean;
  #wanted: number;
  #waiting: (() => void)[];

  constructor(
    file: DiskFile,
    identity: WalIdentity,
    last: DurableSlot,
    fail: (error: DiskError) => never,
  ) {
    this.#file = file;
    this.#identity = identity;
    this.#last = last;
    this.#fail = fail;
    this.#busy = false;
    this.#wanted = 0;
    this.#waiting = [];
  }

  /** `done`, never inside the call, when a copy of at least `durableSeq` is durable. */
  write(durableSeq: number, done: () => void): void {
    assert(durableSeq >= this.#last.durableSeq, "wal: durableSeq went back");
    this.#wanted = Math.max(this.#wanted, durableSeq);
    this.#waiting.push(done);
    if (!this.#busy) this.#writeNext();
  }

  #writeNext(): void {
    const told = this.#waiting;
    this.#waiting = [];
    this.#last = { turn: this.#last.turn + 1, durableSeq: this.#wanted };
    this.#busy = true;
    const slot = encodeDurableSlot(this.#identity, this.#last);
    this.#file.write(slotOffsets[this.#last.turn % 2 === 0 ? 0 : 1], slot, (error) => {
      if (error !== null) this.#fail(error);
      this.#file.sync((syncError) => {
        if (syncError !== null) this.#fail(syncError);
        this.#busy = false;
        if (this.#waiting.length > 0) this.#writeNext();
        for (const done of told) done();
      });
    });
  }

  close(): void {
    assert(!this.#busy, "wal: the second file is closed while it is written");
    this.#file.close();
  }
}
