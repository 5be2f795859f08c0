// What the services tell about this process besides the host's status.

export interface ServiceFacts {
  /** What clients are told (etcd's --version of the compatible release). */
  readonly etcdVersion: string;
  readonly version: string;
  readonly electionTimeoutMs: number;
  /** Of all that clients fetch together. */
  readonly snapshotBytesPerSecond: number;
  readonly stallMaxMs: () => number;
}
