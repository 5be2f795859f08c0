// /livez and /readyz, whole or check by check, in etcd 3.5's form: "ok", with ?verbose the list; a failed
// one always says which and why. ?exclude=NAME leaves a check out, ?allowlist=NAME leaves out the others.
import type { ServerResponse } from "node:http";
import { Phase } from "@quorate/host";
import type { HostApi } from "@quorate/host";
import { AlarmType } from "@quorate/kv";
import { answer, answerError, plainText } from "../answer.ts";
import type { CheckKind, EndpointFacts } from "./facts.ts";
import { linearizableRead, serializableRead } from "./reads.ts";
import type { OnRead } from "./reads.ts";

type Check = (host: HostApi, done: OnRead) => void;

const readiness: Readonly<Record<string, Check>> = {
  data_corruption: (host, done) => {
    const corrupt = host.status().alarms.some(({ type }) => type === AlarmType.Corrupt);
    done(corrupt ? "alarm activated: CORRUPT" : "");
  },
  serializable_read: serializableRead,
  linearizable_read: linearizableRead,
  non_learner: (host, done) => done(host.isLearner() ? "not supported for learner" : ""),
  /** Ours: a restarted member promises nothing until it knows that its disk is not an old one. */
  quiet: (host, done) => {
    const { quiet } = host.status();
    done(quiet ? "waiting for a leader or the other voters after a restart" : "");
  },
};

/**
 * Who asks this restarts the process when it fails. A member that is still starting, or whose state is
 * being rebuilt, would begin anew by that: it is alive.
 */
const liveness: Readonly<Record<string, Check>> = {
  serializable_read: (host, done) => {
    const { phase, reason } = host.status();
    done(phase === Phase.Refused || phase === Phase.Stopped ? reason || "stopped" : "");
  },
};

const checks: Record<CheckKind, Readonly<Record<string, Check>>> = {
  livez: liveness,
  readyz: readiness,
};

/** The names that stand as paths below. */
export function checkNames(kind: CheckKind): readonly string[] {
  return Object.keys(checks[kind]);
}

export function runChecks(
  kind: CheckKind,
  name: string | null,
  response: ServerResponse,
  host: HostApi,
  facts: EndpointFacts,
  query: URLSearchParams,
): void {
  const names = name === null ? chosen(checkNames(kind), query) : [name];
  const verdicts = new Map<string, string>();
  for (const one of names) {
    checks[kind][one]!(host, (error) => {
      facts.onCheck(kind, one, error === "");
      verdicts.set(one, error);
      if (verdicts.size === names.length) tell(response, names, verdicts, query);
    });
  }
  if (names.length === 0) tell(response, names, verdicts, query);
}

function chosen(names: readonly string[], query: URLSearchParams): readonly string[] {
  const excluded = query.getAll("exclude");
  const allowed = query.getAll("allowlist").filter((name) => name !== "");
  return names.filter(
    (name) => !excluded.includes(name) && (allowed.length === 0 || allowed.includes(name)),
  );
}

function tell(
  response: ServerResponse,
  names: readonly string[],
  verdicts: ReadonlyMap<string, string>,
  query: URLSearchParams,
): void {
  const lines = names.map((name) => {
    const error = verdicts.get(name) ?? "";
    return error === "" ? `[+]${name} ok\n` : `[-]${name} failed: ${error}\n`;
  });
  if (lines.some((line) => line.startsWith("[-]"))) {
    answerError(response, 503, lines.join(""));
    return;
  }
  response.setHeader("X-Content-Type-Options", "nosniff");
  answer(response, 200, plainText, `${query.has("verbose") ? lines.join("") : ""}ok\n`);
}
