// Bytes of a proposed change and of a configuration: in log entries, checkpoints, snapshots and on
// the wire. One value has one encoding; anything else, trailing bytes included, reads as null.
import { assert, ByteReader, ByteWriter } from "@quorate/base";
import { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { ConfState } from "../types.ts";
import type { NodeId } from "../types.ts";
import { checkConfState, confStateDefect, isNodeId } from "./conf-state.ts";

const formatVersion = 1;
/** Far above any sane cluster: bounds what hostile bytes can make us allocate. */
export const changesMax = 1024;
/** Per set of a configuration. */
export const membersMax = 4096;

/** format u8 | transition u8 | count varint | (type u8, node varint)* | context length-prefixed. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  assert(change.changes.length <= changesMax, "confchange codec: too many changes");
  const writer = new ByteWriter(32 + 9 * change.changes.length + change.context.length);
  writer.u8(formatVersion);
  writer.u8(change.transition);
  writer.varint(change.changes.length);
  for (const single of change.changes) {
    assert(isNodeId(single.node), "confchange codec: not a raft id");
    writer.u8(single.type);
    writer.varint(single.node);
  }
  writer.lengthBytes(change.context);
  return writer.take();
}

/** The context is a view of `bytes`. */
export function decodeConfChange(bytes: Uint8Array): ConfChange | null {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== formatVersion) return null;
  const transition = reader.u8();
  if (transition > ConfTransition.Rollback) return null;
  const count = reader.varint();
  if (count > changesMax) return null;
  const changes: ConfChangeSingle[] = [];
  for (let i = 0; i < count && reader.ok; i++) {
    const type = reader.u8();
    const node = reader.varint();
    if (type < ConfChangeType.AddVoter || type > ConfChangeType.Update) return null;
    if (!isNodeId(node)) return null;
    changes.push(new ConfChangeSingle(type as ConfChangeType, node));
  }
  const context = reader.lengthBytes();
  if (!reader.ok || reader.remaining > 0) return null;
  return new ConfChange(transition as ConfTransition, changes, context);
}

export function encodeConfState(conf: ConfState): Uint8Array {
  const writer = new ByteWriter();
  writeConfState(writer, conf);
  return writer.take();
}

export function decodeConfState(bytes: Uint8Array): ConfState | null {
  const reader = new ByteReader(bytes);
  const conf = readConfState(reader);
  return conf !== null && reader.remaining === 0 ? conf : null;
}

/**
 * format u8 | voters | votersOutgoing | learners | learnersNext | learnersOutgoing | autoLeave u8;
 * a set is its count and its ids, varints, ascending.
 */
export function writeConfState(writer: ByteWriter, conf: ConfState): void {
  checkConfState(conf);
  writer.u8(formatVersion);
  writeIds(writer, conf.voters);
  writeIds(writer, conf.votersOutgoing);
  writeIds(writer, conf.learners);
  writeIds(writer, conf.learnersNext);
  writeIds(writer, conf.learnersOutgoing);
  writer.u8(conf.autoLeave ? 1 : 0);
}

/** Null and a failed reader when it is no sound configuration. */
export function readConfState(reader: ByteReader): ConfState | null {
  const version = reader.u8();
  const voters = readIds(reader);
  const votersOutgoing = readIds(reader);
  const learners = readIds(reader);
  const learnersNext = readIds(reader);
  const learnersOutgoing = readIds(reader);
  const autoLeave = reader.u8();
  const conf = new ConfState(
    voters,
    votersOutgoing,
    learners,
    learnersNext,
    autoLeave === 1,
    learnersOutgoing,
  );
  if (version !== formatVersion || autoLeave > 1 || confStateDefect(conf) !== null) reader.fail();
  return reader.ok ? conf : null;
}

function writeIds(writer: ByteWriter, ids: readonly NodeId[]): void {
  assert(ids.length <= membersMax, "confchange codec: too many members");
  writer.varint(ids.length);
  for (const id of ids) writer.varint(id);
}

function readIds(reader: ByteReader): readonly NodeId[] {
  const count = reader.varint();
  if (count > membersMax) reader.fail();
  const ids: NodeId[] = [];
  for (let i = 0; i < count && reader.ok; i++) ids.push(reader.varint());
  return ids;
}
