// What a refusal says about the process that was refused, where it concerns its whole directory.
import { decodeNotice, describeNotice } from "../recover/superseded-notice.ts";
import { Refusal, RefusalCode } from "./hello.ts";
import type { PeersConfig, PeersEvents } from "./peers-api.ts";

/** Said by `by` on a link that this process has dialled: it is about this process. */
export function tellHost(events: PeersEvents, by: string, { code, reason }: Refusal): void {
  if (code === RefusalCode.Regressed) events.onToldRegressed(`${by}: ${reason}`);
  if (code === RefusalCode.Removed) events.onToldRemoved(`${by}: ${reason}`);
  if (code === RefusalCode.Superseded) events.onToldSuperseded(`${by}: ${reason}`);
}

/** The answer to a notice that a cluster is superseded; `told` when it is about this process. */
export function answerNotice(
  body: Uint8Array,
  { clusterId, memberId }: Pick<PeersConfig, "clusterId" | "memberId">,
  genesisId: number,
  told: (reason: string) => void,
): Refusal {
  const notice = decodeNotice(body);
  if (notice === null) return new Refusal(RefusalCode.WrongProtocol, "notice is malformed", "");
  if (notice.newClusterId === clusterId) {
    return new Refusal(RefusalCode.Successor, `member ${memberId} is of cluster ${clusterId}`, "");
  }
  if (notice.clusterId === clusterId && genesisId === 0) {
    return new Refusal(RefusalCode.Busy, `member ${memberId} has not read its log yet`, "");
  }
  if (notice.clusterId !== clusterId || notice.genesisId !== genesisId) {
    const text = `member ${memberId} is of cluster ${clusterId}`;
    return new Refusal(RefusalCode.WrongCluster, text, "");
  }
  told(describeNotice(notice));
  return new Refusal(RefusalCode.Superseded, `member ${memberId} was told, and ends`, "");
}
