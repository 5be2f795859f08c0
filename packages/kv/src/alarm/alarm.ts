// One active alarm and its bytes: in the table's snapshot and in replies.
import { ByteReader, ByteWriter } from "@quorate/base";
import { isAlarmCause } from "./alarm-causes.ts";
import type { AlarmCause } from "./alarm-causes.ts";
import { isAlarmType } from "./alarm-type.ts";
import type { AlarmType } from "./alarm-type.ts";

export class Alarm {
  /** 16 hexadecimal digits; by etcd's rules a client may name anybody, also nobody (zero). */
  readonly memberId: string;
  readonly type: AlarmType;
  readonly cause: AlarmCause;
  /** What was seen, in one line; empty when nobody said. */
  readonly text: string;
  /** Stamp of the entry that raised it. */
  readonly sinceMs: number;

  constructor(memberId: string, type: AlarmType, cause: AlarmCause, text: string, sinceMs: number) {
    this.memberId = memberId;
    this.type = type;
    this.cause = cause;
    this.text = text;
    this.sinceMs = sinceMs;
  }
}

/** Of all members and kinds together. */
export const alarmsMax = 256;
/** Longer texts are cut before they are proposed. */
export const alarmTextMax = 256;

/** A total order that all members share. */
export function byTypeAndMember(a: Alarm, b: Alarm): number {
  if (a.type !== b.type) return a.type - b.type;
  return a.memberId < b.memberId ? -1 : a.memberId > b.memberId ? 1 : 0;
}

export function encodeAlarms(alarms: readonly Alarm[]): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(alarms.length);
  for (const { memberId, type, cause, text, sinceMs } of alarms) {
    writer.text(memberId);
    writer.varint(type);
    writer.u8(cause);
    writer.text(text);
    writer.varint(sinceMs);
  }
  return writer.take();
}

/** Null: not such a list. */
export function decodeAlarms(bytes: Uint8Array): readonly Alarm[] | null {
  const reader = new ByteReader(bytes);
  const count = reader.varint();
  if (count > alarmsMax) return null;
  const alarms: Alarm[] = [];
  for (let left = count; left > 0; left -= 1) {
    const memberId = reader.text();
    const type = reader.varint();
    const cause = reader.u8();
    const text = reader.text();
    const sinceMs = reader.varint();
    if (!reader.ok || !isAlarmType(type) || !isAlarmCause(cause)) return null;
    alarms.push(new Alarm(memberId, type, cause, text, sinceMs));
  }
  return reader.ok && reader.done ? alarms : null;
}
