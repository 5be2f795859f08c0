// The replicated table of active alarms (etcd's alarm store): at most one of a kind for a member.
// Changed by apply alone.
import { crc32c } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import type { ReplicatedTable } from "../table.ts";
import { Alarm, alarmsMax, byTypeAndMember, decodeAlarms, encodeAlarms } from "./alarm.ts";
import { AlarmCause } from "./alarm-causes.ts";
import { AlarmAction } from "./alarm-command.ts";
import type { AlarmCommand } from "./alarm-command.ts";
import type { AlarmType } from "./alarm-type.ts";

export class AlarmTable implements ReplicatedTable {
  readonly name: string;
  #alarms: readonly Alarm[];

  constructor() {
    this.name = "alarms";
    this.#alarms = [];
  }

  /** Sorted by kind, then by member. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  isActive(type: AlarmType): boolean {
    return this.#alarms.some((alarm) => alarm.type === type);
  }

  of(memberId: string, type: AlarmType): Alarm | null {
    return this.#alarms.find((a) => a.memberId === memberId && a.type === type) ?? null;
  }

  /**
   * The alarm that is active afterwards, or was before: etcd's answer, which is empty where nothing
   * was to be taken back.
   */
  apply(command: AlarmCommand, wallMs: number): readonly Alarm[] | KvError {
    const { action, memberId, type, cause, text } = command;
    const present = this.of(memberId, type);
    if (action === AlarmAction.Deactivate) {
      const may = cause === AlarmCause.Operator || present?.cause === cause;
      if (present === null || !may) return [];
      this.#alarms = this.#alarms.filter((alarm) => alarm !== present);
      return [present];
    }
    // What an operator raises nobody else may take back, also when it was there before.
    const takesOver = cause === AlarmCause.Operator && present?.cause !== cause;
    if (present !== null && !takesOver) return [present];
    if (present === null && this.#alarms.length >= alarmsMax) return KvError.TooManyAlarms;
    const alarm = new Alarm(memberId, type, cause, text, present?.sinceMs ?? wallMs);
    const others = this.#alarms.filter((other) => other !== present);
    this.#alarms = [...others, alarm].sort(byTypeAndMember);
    return [alarm];
  }

  /** Zero without alarms: states from before there were any keep their digest. */
  digest(): { readonly low: number; readonly high: number } {
    if (this.#alarms.length === 0) return { low: 0, high: 0 };
    const bytes = this.snapshot();
    return { low: crc32c(bytes), high: crc32c(bytes, 0, bytes.length, 0x5bd1e995) };
  }

  snapshot(): Uint8Array {
    return encodeAlarms(this.#alarms);
  }

  restore(bytes: Uint8Array): boolean {
    const alarms = decodeAlarms(bytes);
    if (alarms === null) return false;
    this.#alarms = alarms;
    return true;
  }

  clear(): void {
    this.#alarms = [];
  }
}
