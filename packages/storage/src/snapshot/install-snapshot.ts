// Puts a staged checkpoint in force, in P9's order: its files are durable under names that nothing
// knows → the log's mark, synced → manifest, both copies. Before the last step everything of before
// holds and the mark is void; after it the rows and the log of before are.
import { must } from "@quorate/base";
import type { HardState } from "@quorate/raft";
import type { ManifestApi } from "../manifest/manifest-api.ts";
import type { Medium } from "../medium.ts";
import type { PeerRecord } from "../storage-api.ts";
import type { WalApi } from "../wal/wal-api.ts";
import type { StagedCheckpoint } from "./staged-checkpoint.ts";

export interface InstallParts {
  readonly medium: Medium;
  readonly manifest: ManifestApi;
  readonly wal: WalApi;
}

export interface Install {
  readonly hardState: HardState;
  /** The log holds the entry at which the snapshot ends, and stays. */
  readonly keepsLog: boolean;
  readonly peers: readonly PeerRecord[];
}

/** `done` gets the names of the files that are no longer in force. */
export function installSnapshot(
  parts: InstallParts,
  staged: StagedCheckpoint,
  { hardState, keepsLog, peers }: Install,
  done: (replaced: readonly string[]) => void,
): void {
  const { medium, manifest, wal } = parts;
  const { id, index, term } = must(staged.info, "a finished snapshot");
  staged.addPeers(peers, (tablesBytes, tablesCrc) => {
    medium.env.trace.mark("install.staged");
    wal.snapshotMark({ index, term, checkpointId: id, hardState, keepsLog }, () => {
      medium.env.trace.mark("install.marked");
      let replaced: string[] = [];
      manifest.change(
        (state) => {
          replaced = state.rowSegments.map((segment) => segment.name);
          if (state.checkpoint !== null) replaced.push(state.checkpoint.tablesName);
          const tablesName = staged.tables.name;
          const { durableSeq } = wal;
          const checkpoint = { id, index, term, tablesName, tablesBytes, tablesCrc, durableSeq };
          return { ...state, rowSegments: staged.segments, checkpoint };
        },
        () => {
          medium.env.trace.mark("install.in-force");
          done(replaced);
        },
      );
    });
  });
}
