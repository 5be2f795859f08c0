// Lists the active alarms as one member has applied them, and takes them back one by one.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { table } from "@quorate/base";
import { alarmNames, isAlarmType } from "@quorate/kv";
import { etcd, inspect } from "@quorate/proto";
import type { ClusterClient } from "../client/cluster-client.ts";
import { print } from "../client/print.ts";
import { UsageError } from "../exit.ts";

const nothing = new Uint8Array(0);

export async function list(client: ClusterClient): Promise<void> {
  const rows = (await activeAlarms(client)).map((alarm) => [
    alarm.type,
    idText(alarm.memberId),
    new Date(Number(alarm.sinceMs)).toISOString(),
    alarm.endsByItself ? "by itself" : "by hand",
    [alarm.text, alarm.advice].filter((text) => text !== "").join("; "),
  ]);
  if (rows.length > 0) print(`${table([["TYPE", "MEMBER", "SINCE", "ENDS", "WHAT"], ...rows])}\n`);
}

export async function disarm(client: ClusterClient, type: string): Promise<void> {
  const known = Object.values(alarmNames).filter((name) => name !== alarmNames[0]);
  if (type !== "" && !known.includes(type)) {
    throw new UsageError(`"${type}" is none of ${known.join(", ")}`);
  }
  for (const alarm of await activeAlarms(client)) {
    if (type !== "" && alarm.type !== type) continue;
    const request = create(etcd.AlarmRequestSchema, {
      action: etcd.AlarmRequest_AlarmAction.DEACTIVATE,
      memberID: alarm.memberId,
      alarm: numberOf(alarm.type),
    });
    const bytes = toBinary(etcd.AlarmRequestSchema, request);
    await client.call("/etcdserverpb.Maintenance/Alarm", bytes);
    print(`disarmed ${alarm.type} of ${idText(alarm.memberId)}\n`);
  }
}

async function activeAlarms(client: ClusterClient): Promise<readonly inspect.Alarm[]> {
  const answer = await client.read("/quorate.v1.Inspect/Status", nothing);
  return fromBinary(inspect.StatusResponseSchema, answer).alarms;
}

function numberOf(type: string): number {
  const numbers = Object.keys(alarmNames).map(Number);
  return numbers.find((number) => isAlarmType(number) && alarmNames[number] === type) ?? 0;
}

function idText(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}
