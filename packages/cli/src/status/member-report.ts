// What one member says about itself (quorate.v1.Inspect/Status) as plain values, or why it says
// nothing.
import { fromBinary } from "@bufbuild/protobuf";
import { GrpcCode, machineTls } from "@quorate/grpc";
import type { GrpcTls } from "@quorate/grpc";
import { inspect } from "@quorate/proto";
import { callOnce } from "../client/cluster-client.ts";
import { reach } from "../client/reach.ts";

export interface MemberReport {
  readonly name: string;
  /** 16 hex digits. */
  readonly memberId: string;
  readonly clusterId: string;
  readonly phase: string;
  readonly reason: string;
  readonly role: string;
  readonly quiet: boolean;
  readonly term: number;
  readonly leader: string;
  readonly committed: number;
  readonly applied: number;
  readonly revision: number;
  readonly keys: number;
  readonly liveDigest: string;
  /** Voters that it has not heard from. */
  readonly missing: readonly string[];
  readonly version: string;
  readonly alarms: readonly AlarmReport[];
}

/** An alarm as the member has applied it. */
export interface AlarmReport {
  /** 16 hex digits. */
  readonly memberId: string;
  readonly type: string;
  readonly text: string;
  readonly advice: string;
  readonly sinceMs: number;
  readonly endsByItself: boolean;
}

export type Asked =
  | { readonly ok: true; readonly address: string; readonly report: MemberReport }
  | { readonly ok: false; readonly address: string; readonly reason: string };

export async function askMember(
  address: string,
  timeoutMs: number,
  tls: GrpcTls = machineTls,
): Promise<Asked> {
  const unreachable = await reach(address, tls, timeoutMs);
  if (unreachable !== null) {
    return { ok: false, address, reason: unreachable };
  }
  const path = "/quorate.v1.Inspect/Status";
  const result = await callOnce(address, path, new Uint8Array(0), timeoutMs, tls);
  if (result.code === GrpcCode.Unimplemented) {
    return { ok: false, address, reason: "it is no Quorate member" };
  }
  if (result.code !== GrpcCode.Ok || result.message === null) {
    return { ok: false, address, reason: result.text };
  }
  return { ok: true, address, report: reportOf(result.message) };
}

function reportOf(message: Uint8Array): MemberReport {
  const status = fromBinary(inspect.StatusResponseSchema, message);
  return {
    name: status.name,
    memberId: hexId(status.memberId),
    clusterId: hexId(status.clusterId),
    phase: status.phase,
    reason: status.reason,
    role: status.role,
    quiet: status.quiet,
    term: Number(status.term),
    leader: status.leader,
    committed: Number(status.committed),
    applied: Number(status.applied),
    revision: Number(status.revision),
    keys: Number(status.keys),
    liveDigest: status.liveDigest,
    missing: status.missing,
    version: status.version,
    alarms: status.alarms.map((alarm) => ({
      memberId: hexId(alarm.memberId),
      type: alarm.type,
      text: alarm.text,
      advice: alarm.advice,
      sinceMs: Number(alarm.sinceMs),
      endsByItself: alarm.endsByItself,
    })),
  };
}

/** etcd's ids as etcdctl prints them, padded so that they compare as texts. */
export function hexId(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}
