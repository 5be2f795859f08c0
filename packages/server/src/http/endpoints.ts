// HTTP/1.1 on the client port: /health as etcd has it, /livez and /readyz, /version, /metrics.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Phase } from "@quorate/host";
import type { HostApi } from "@quorate/host";
import { alarmNames, isEtcdAlarm } from "@quorate/kv";
import { phaseNames } from "../etcd/inspect.ts";

export interface EndpointFacts {
  readonly etcdVersion: string;
  readonly clusterVersion: string;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function makeEndpoints(
  host: HostApi,
  facts: EndpointFacts,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const url = new URL(request.url ?? "/", "http://member");
    const route = routes[url.pathname];
    if (route === undefined) {
      send(response, 404, "text/plain; charset=utf-8", "404 page not found\n");
    } else if (request.method !== "GET") {
      response.setHeader("Allow", "GET");
      send(response, 405, "text/plain; charset=utf-8", "Method Not Allowed\n");
    } else {
      route(response, host, facts, url);
    }
  };
}

type Route = (response: ServerResponse, host: HostApi, facts: EndpointFacts, url: URL) => void;

const routes: Readonly<Record<string, Route>> = {
  "/health": health,
  "/livez": (response) => send(response, 200, "text/plain; charset=utf-8", "ok\n"),
  "/readyz": ready,
  "/version": (response, _host, facts) =>
    sendJson(response, 200, {
      etcdserver: facts.etcdVersion,
      etcdcluster: facts.clusterVersion,
    }),
  "/metrics": (response, _host, facts) => {
    facts.metrics().then(
      ({ contentType, text }) => send(response, 200, contentType, text),
      (error: unknown) => send(response, 500, "text/plain; charset=utf-8", `${String(error)}\n`),
    );
  },
};

/**
 * etcd 3.5's form: healthy without alarms that etcd knows (exclude=NOSPACE: but for that one), when a
 * linearizable read goes through (serializable=true: a local one).
 */
function health(response: ServerResponse, host: HostApi, _facts: EndpointFacts, url: URL): void {
  const status = host.status();
  const excluded = url.searchParams.getAll("exclude");
  const alarm = status.alarms.find(
    ({ type }) => isEtcdAlarm(type) && !excluded.includes(alarmNames[type]),
  );
  if (alarm !== undefined) {
    sendHealth(response, false, `ALARM ${alarmNames[alarm.type]}`);
    return;
  }
  if (url.searchParams.get("serializable") === "true") {
    const ok = status.phase === Phase.Running;
    sendHealth(response, ok, ok ? "" : `member is ${phaseNames[status.phase]}`);
    return;
  }
  if (status.leaderMemberId === "") {
    sendHealth(response, false, "RAFT NO LEADER");
    return;
  }
  host.readBarrier({
    reply: () => sendHealth(response, true, ""),
    fail: () => sendHealth(response, false, "QGET ERROR"),
  });
}

function sendHealth(response: ServerResponse, ok: boolean, reason: string): void {
  sendJson(response, ok ? 200 : 503, { health: ok ? "true" : "false", reason });
}

function ready(response: ServerResponse, host: HostApi, _facts: EndpointFacts, url: URL): void {
  const status = host.status();
  const checks: readonly (readonly [string, boolean, string])[] = [
    ["serving", status.phase === Phase.Running, status.reason || phaseNames[status.phase]],
    ["quiet", !status.quiet, "quiet: waiting for a leader or the other voters after a restart"],
    ["leader", status.leaderMemberId !== "", missingText(status.missing)],
  ];
  const failed = checks.filter(([, ok]) => !ok);
  if (failed.length === 0 && !url.searchParams.has("verbose")) {
    send(response, 200, "text/plain; charset=utf-8", "ok\n");
    return;
  }
  const lines = checks.map(([name, ok, why]) =>
    ok ? `[+]${name} ok` : `[-]${name} failed: ${why}`,
  );
  const text = `${lines.join("\n")}\n`;
  send(response, failed.length === 0 ? 200 : 503, "text/plain; charset=utf-8", text);
}

function missingText(missing: readonly string[]): string {
  return missing.length === 0 ? "no leader" : `no leader; not heard: ${missing.join(", ")}`;
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, "application/json", JSON.stringify(body));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", type);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.end(body);
}
