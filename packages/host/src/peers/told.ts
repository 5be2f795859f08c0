// What a refusal says about the process that was refused, where it concerns its whole directory.
import { type Refusal, RefusalCode } from "./hello.ts";
import type { PeersEvents } from "./peers-api.ts";

/** Said by `by` on a link that this process has dialled: it is about this process. */
export function tellHost(events: PeersEvents, by: string, { code, reason }: Refusal): void {
  if (code === RefusalCode.Regressed) events.onToldRegressed(`${by}: ${reason}`);
  if (code === RefusalCode.Removed) events.onToldRemoved(`${by}: ${reason}`);
  if (code === RefusalCode.Superseded) events.onToldSuperseded(`${by}: ${reason}`);
}
