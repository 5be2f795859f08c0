// etcd's Alarm call: what is active, and raising and taking back by hand. What etcd's clients know no
// name for is left out of lists, unless its number is asked for; `quorate status` shows everything.
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi } from "@quorate/host";
import {
  AlarmAction,
  AlarmCause,
  alarmNames,
  decodeAlarms,
  isAlarmType,
  isEtcdAlarm,
} from "@quorate/kv";
import type { Alarm, AlarmCommand, Identity } from "@quorate/kv";
import { etcd } from "@quorate/proto";
import { unknownAlarmError } from "./errors.ts";
import type { ServiceFacts } from "./facts.ts";
import { hexOf, idOf } from "./ids.ts";
import { decode, headerOf, sinkOf } from "./messages.ts";

export class AlarmService {
  readonly #host: HostApi;
  readonly #facts: ServiceFacts;

  constructor(host: HostApi, facts: ServiceFacts) {
    this.#host = host;
    this.#facts = facts;
  }

  alarm(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(etcd.AlarmRequestSchema, message, sink);
    if (request === null) return;
    const Action = etcd.AlarmRequest_AlarmAction;
    switch (request.action) {
      case Action.GET:
        return this.#get(request.alarm, sink);
      case Action.ACTIVATE:
        return this.#change(AlarmAction.Activate, request, sink, identity);
      case Action.DEACTIVATE:
        return this.#change(AlarmAction.Deactivate, request, sink, identity);
      default:
        return sink.fail(GrpcCode.InvalidArgument, "quorate: unknown alarm action");
    }
  }

  /** Linearizable, as etcd's, which goes through its log; ours costs a read. */
  #get(type: number, sink: GrpcSink): void {
    const wanted = (alarm: Alarm): boolean =>
      type === etcd.AlarmType.NONE ? isEtcdAlarm(alarm.type) : alarm.type === type;
    this.#host.readBarrier({
      ...sinkOf(sink),
      reply: () => sink.reply(this.#response(this.#host.status().alarms.filter(wanted))),
    });
  }

  #change(
    action: AlarmAction,
    { memberID, alarm }: etcd.AlarmRequest,
    sink: GrpcSink,
    identity: Identity,
  ): void {
    const type: number = alarm;
    if (!isAlarmType(type)) {
      // etcd finds none of that kind to take back, and raises what nobody can name.
      if (action === AlarmAction.Deactivate) return sink.reply(this.#response([]));
      return sink.fail(unknownAlarmError.code, unknownAlarmError.text);
    }
    const memberId = hexOf(memberID);
    const cause = AlarmCause.Operator;
    const command: AlarmCommand = { action, memberId, type, cause, text: "" };
    const answer = {
      ...sinkOf(sink),
      reply: (bytes: Uint8Array) => sink.reply(this.#response(decodeAlarms(bytes) ?? [])),
    };
    this.#host.alarm(command, answer, identity);
  }

  /** etcd 3.4 sends no header here. */
  #response(alarms: readonly Alarm[]): Uint8Array {
    const status = this.#host.status();
    const response = create(etcd.AlarmResponseSchema, {
      ...(this.#facts.etcdVersion.startsWith("3.4.")
        ? {}
        : { header: headerOf(status, status.revision) }),
      alarms: alarms.map(({ memberId, type }) =>
        // Numbers of ours stay numbers: enums of proto3 are open.
        create(etcd.AlarmMemberSchema, { memberID: idOf(memberId), alarm: type as number }),
      ),
    });
    return toBinary(etcd.AlarmResponseSchema, response);
  }
}

/** As etcd prints an alarm in the errors of its Status. */
export function alarmText({ memberId, type }: Alarm): string {
  return `memberID:${idOf(memberId)} alarm:${alarmNames[type]} `;
}
