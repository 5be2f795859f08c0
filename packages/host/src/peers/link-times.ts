// How long links may take for what, in ticks.
import { assertNever } from "@quorate/base";
import { LinkEnd } from "@quorate/storage";
import { LinkClass } from "./hello.ts";
import type { LinkTimes } from "./peer-link.ts";
import type { PeersConfig } from "./peers-api.ts";

const connectMsMax = 5000;
const helloMsMax = 10_000;
const helloAgainMs = 500;
const refusingMs = 1000;
const keepAliveMs = 1000;
const silentMsMin = 3000;
const silentHeartbeats = 10;

/** `linkClass` null: incoming. */
export function linkTimes(config: PeersConfig, linkClass: LinkClass | null): LinkTimes {
  const ticks = (ms: number): number => Math.max(1, Math.ceil(ms / config.tickMs));
  // A member that has nothing to say is heard at every heartbeat interval all the same, so that
  // silence means the same on every pair of members.
  const control = linkClass === LinkClass.Control;
  const aliveMs = control ? Math.min(config.heartbeatIntervalMs, keepAliveMs) : keepAliveMs;
  return {
    connectTicksMax: ticks(connectMsMax),
    helloTicksMax: ticks(helloMsMax),
    helloAgainTicks: ticks(helloAgainMs),
    refusingTicks: ticks(refusingMs),
    keepAliveTicks: ticks(aliveMs),
    silentTicksMax: ticks(Math.max(silentMsMin, silentHeartbeats * config.heartbeatIntervalMs)),
  };
}

/** Why a link ended, for logs and status, when nobody gave a reason. */
export function endText(end: LinkEnd): string {
  switch (end) {
    case LinkEnd.Refused:
      return "connection refused";
    case LinkEnd.Unreachable:
      return "unreachable";
    case LinkEnd.Closed:
      return "connection closed";
    case LinkEnd.Failed:
      return "connection failed";
    case LinkEnd.Local:
      return "closed";
    default:
      return assertNever(end, "link end");
  }
}
