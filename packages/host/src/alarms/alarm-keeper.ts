// Raises and takes back alarms through the log for whoever watches a cause in this member. Watchers say
// what holds, again at every look; nothing is queued here, and what was lost on its way is said again.
import { AlarmAction, alarmCauses } from "@quorate/kv";
import type { Alarm, AlarmCause, AlarmCommand, AlarmType, KvApi } from "@quorate/kv";
import { must } from "@quorate/base";
import type { ReplySink } from "../host-api.ts";

/** Commands on their way; past it a watcher is heard at its next look. */
const inFlightMax = 16;

export type ProposeAlarm = (command: AlarmCommand, sink: ReplySink) => void;

export class AlarmKeeper {
  readonly #kv: Pick<KvApi, "alarms">;
  readonly #propose: ProposeAlarm;
  /** Kind and member of each command on its way. */
  readonly #inFlight: Set<string>;

  constructor(kv: Pick<KvApi, "alarms">, propose: ProposeAlarm) {
    this.#kv = kv;
    this.#propose = propose;
    this.#inFlight = new Set();
  }

  /** The cause holds. An alarm of that kind which is active anyway, whoever raised it, is enough. */
  raise(cause: AlarmCause, memberId: string, text: string): void {
    const type = typeOf(cause);
    if (this.#find(memberId, type) !== null) return;
    this.#send({ action: AlarmAction.Activate, memberId, type, cause, text });
  }

  /** The cause does not hold (any more). What others raised stays. */
  end(cause: AlarmCause, memberId: string): void {
    const type = typeOf(cause);
    if (this.#find(memberId, type)?.cause !== cause) return;
    this.#send({ action: AlarmAction.Deactivate, memberId, type, cause, text: "" });
  }

  #find(memberId: string, type: AlarmType): Alarm | null {
    return this.#kv.alarms.find((a) => a.memberId === memberId && a.type === type) ?? null;
  }

  #send(command: AlarmCommand): void {
    const name = `${command.type} ${command.memberId}`;
    if (this.#inFlight.has(name) || this.#inFlight.size >= inFlightMax) return;
    this.#inFlight.add(name);
    const answered = (): void => void this.#inFlight.delete(name);
    this.#propose(command, { reply: answered, fail: answered });
  }
}

function typeOf(cause: AlarmCause): AlarmType {
  return must(alarmCauses[cause].type, "a cause that is watched has its kind of alarm");
}
