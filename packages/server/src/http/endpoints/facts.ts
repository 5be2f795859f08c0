// What the endpoints tell of this process beside the host's status, and whom they tell what they found.
import type { Release } from "../../etcd/release.ts";

export type CheckKind = "livez" | "readyz";

export interface EndpointFacts {
  readonly etcdVersion: string;
  readonly clusterVersion: string;
  readonly release: Release;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  onHealth(ok: boolean): void;
  onCheck(kind: CheckKind, name: string, ok: boolean): void;
}
