// /health as etcd has it: no alarm that etcd knows (but for those that are excluded), a leader, and a read
// that goes through. 3.4 says yes or no, later releases why not as well.
import type { ServerResponse } from "node:http";
import type { HostApi } from "@quorate/host";
import { alarmNames, isEtcdAlarm } from "@quorate/kv";
import { Release } from "../../etcd/release.ts";
import { answer, answerError, plainText } from "../answer.ts";
import type { EndpointFacts } from "./facts.ts";
import { linearizableRead, serializableRead } from "./reads.ts";

export function health(
  response: ServerResponse,
  host: HostApi,
  facts: EndpointFacts,
  query: URLSearchParams,
): void {
  const tell = (reason: string): void => {
    facts.onHealth(reason === "");
    const verdict = String(reason === "");
    const words = facts.release === Release.V34 ? {} : { reason };
    const body = JSON.stringify({ health: verdict, ...words });
    if (reason === "") answer(response, 200, plainText, body);
    else answerError(response, 503, body);
  };
  const serializable = query.get("serializable") === "true";
  const excluded = query.getAll("exclude");
  const status = host.status();
  const alarm = status.alarms.find(
    ({ type }) => isEtcdAlarm(type) && !excluded.includes(alarmNames[type]),
  );
  if (alarm !== undefined) {
    tell(`ALARM ${alarmNames[alarm.type]}`);
  } else if (!serializable && status.leaderMemberId === "") {
    tell("RAFT NO LEADER");
  } else {
    const read = serializable ? serializableRead : linearizableRead;
    read(host, (error) => tell(error === "" ? "" : `RANGE ERROR:${error}`));
  }
}
