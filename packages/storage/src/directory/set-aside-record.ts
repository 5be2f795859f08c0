// The word that a directory is being set aside: once it is durable, nobody speaks under the raft id of
// the files that are there, whatever has been moved yet. It holds all that the moving needs, because
// the identity moves too; and it goes last. Pure codec.
import { assert, ByteReader, ByteWriter } from "@quorate/base";
import { decodeIdentity, encodeIdentity } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { isQuarantine } from "./quarantine.ts";
import { RecordFile } from "./record-file.ts";

export const setAsideName = "SET-ASIDE";
export const setAsideFormat = 1;

const reasonCharsMax = 1000;

export class SetAsideRecord {
  /** The folder that the files go to. */
  readonly quarantine: string;
  /** Wall clock at that time, ms since 1970. */
  readonly wallMs: number;
  readonly reason: string;
  /** Of the files; 0: not known. */
  readonly oldRaftId: number;
  /**
   * Who the directory belongs to afterwards, under its new raft id. Null: who it belonged to cannot be
   * read, so it is left empty, as a new disk.
   */
  readonly successor: Identity | null;

  constructor(
    quarantine: string,
    wallMs: number,
    reason: string,
    oldRaftId: number,
    successor: Identity | null,
  ) {
    assert(isQuarantine(quarantine), "a quarantine is named by its time");
    this.quarantine = quarantine;
    this.wallMs = wallMs;
    this.reason = reason.slice(0, reasonCharsMax);
    this.oldRaftId = oldRaftId;
    this.successor = successor;
  }
}

export function encodeSetAside(record: SetAsideRecord): RecordFile {
  const writer = new ByteWriter();
  writer.text(record.quarantine);
  writer.u64(Math.max(0, Math.floor(record.wallMs)));
  writer.text(record.reason);
  writer.u64(record.oldRaftId);
  const { successor } = record;
  writer.lengthBytes(successor === null ? new Uint8Array(0) : encodeIdentity(successor, 1).body);
  return new RecordFile(setAsideFormat, 1, writer.take());
}

/** Null: not of this format, although its CRC holds. */
export function decodeSetAside(body: Uint8Array): SetAsideRecord | null {
  const reader = new ByteReader(body);
  const quarantine = reader.text();
  const wallMs = reader.u64();
  const reason = reader.text();
  const oldRaftId = reader.u64();
  const identity = reader.lengthBytes();
  if (!reader.ok || reader.remaining > 0 || !isQuarantine(quarantine)) return null;
  const successor = identity.length === 0 ? null : decodeIdentity(identity);
  if (identity.length > 0 && successor === null) return null;
  return new SetAsideRecord(quarantine, wallMs, reason, oldRaftId, successor);
}
