// What an entry of kind Alarm asks for: raise or take back one alarm. Behind the envelope, on disk and
// between members.
import { ByteReader, ByteWriter } from "@quorate/base";
import { alarmTextMax } from "./alarm.ts";
import { isAlarmCause } from "./alarm-causes.ts";
import type { AlarmCause } from "./alarm-causes.ts";
import { isAlarmType } from "./alarm-type.ts";
import type { AlarmType } from "./alarm-type.ts";

export const AlarmAction = {
  Activate: 1,
  Deactivate: 2,
} as const;
export type AlarmAction = (typeof AlarmAction)[keyof typeof AlarmAction];

export interface AlarmCommand {
  readonly action: AlarmAction;
  /** 16 hexadecimal digits. */
  readonly memberId: string;
  readonly type: AlarmType;
  /** Who asks. An operator takes back every alarm, others only those of their own cause. */
  readonly cause: AlarmCause;
  readonly text: string;
}

const format = 1;

export function encodeAlarmCommand(command: AlarmCommand): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.u8(command.action);
  writer.text(command.memberId);
  writer.varint(command.type);
  writer.u8(command.cause);
  writer.text(command.text.slice(0, alarmTextMax));
  return writer.take();
}

/** `bytes` from `at` on; null: not such a command. */
export function decodeAlarmCommand(bytes: Uint8Array, at: number = 0): AlarmCommand | null {
  const reader = new ByteReader(bytes.subarray(at));
  const known = reader.u8() === format;
  const action = reader.u8();
  const memberId = reader.text();
  const type = reader.varint();
  const cause = reader.u8();
  const text = reader.text();
  if (!known || !reader.ok || !reader.done) return null;
  if (action !== AlarmAction.Activate && action !== AlarmAction.Deactivate) return null;
  if (!isAlarmType(type) || !isAlarmCause(cause) || text.length > alarmTextMax) return null;
  return /^[0-9a-f]{16}$/.test(memberId) ? { action, memberId, type, cause, text } : null;
}
