// From an empty process to an open store: directory, peers, genesis (P1), recovery. Every step waits
// for the one before; what refuses ends the process with its own exit code.
import { must } from "@quorate/base";
import { ExitCode, openDirectory, openStorage } from "@quorate/storage";
import type { DataDirectory, Env, Recovered, Refusal, StorageApi } from "@quorate/storage";
import { Genesis } from "./genesis/genesis.ts";
import { Phase } from "./host-api.ts";
import type { HostConfig } from "./host-api.ts";
import type { GenesisRecord, PeersEvents } from "./peers/peers-api.ts";
import { Peers } from "./peers/peers.ts";
import { levelMax } from "./raft-settings.ts";

export interface OpeningEvents {
  onPhase(phase: Phase, reason: string): void;
  onStorage(record: GenesisRecord, storage: StorageApi, recovered: Recovered): void;
}

/** What peers say to the host; the rest is about the directory. */
export type HostPeersEvents = Omit<PeersEvents, "onToldRegressed">;

export class Opening {
  readonly #env: Env;
  readonly #config: HostConfig;
  readonly #session: number;
  readonly #peersEvents: HostPeersEvents;
  readonly #events: OpeningEvents;
  directory: DataDirectory | null;
  peers: Peers | null;
  #regressed: boolean;

  constructor(
    env: Env,
    config: HostConfig,
    session: number,
    peersEvents: HostPeersEvents,
    events: OpeningEvents,
  ) {
    this.#env = env;
    this.#config = config;
    this.#session = session;
    this.#peersEvents = peersEvents;
    this.#events = events;
    this.directory = null;
    this.peers = null;
    this.#regressed = false;
  }

  start(): void {
    const { directory, walDirectory, clusterId, memberId } = this.#config;
    const options = { directory, walDirectory, clusterId, memberId, levelMax };
    openDirectory(this.#env, options, (outcome) => {
      if (!outcome.ok) {
        return this.#refuse(outcome);
      }
      this.#onDirectory(outcome.directory);
    });
  }

  #refuse(refusal: Refusal): never {
    return this.#env.fatal(refusal.exitCode, refusal.reason);
  }

  #onDirectory(directory: DataDirectory): void {
    this.directory = directory;
    this.#env.trace.info("directory opened", {
      raftId: directory.raftId,
      bootCount: directory.bootCount,
      fresh: directory.fresh,
    });
    const peers = this.#makePeers(directory);
    this.peers = peers;
    const genesis = new Genesis(
      this.#env,
      { ...this.#config, raftId: directory.raftId, session: this.#session },
      directory,
      {
        onStarted: (record) => this.#onGenesis(record, directory),
        onWiped: (record, reason) => this.#onWiped(record, reason),
        onWaiting: (_missing, reason) => this.#events.onPhase(Phase.Genesis, reason),
      },
    );
    peers.attachGenesis(genesis);
    this.#events.onPhase(Phase.Genesis, "waiting for the genesis");
    genesis.start();
  }

  #makePeers(directory: DataDirectory): Peers {
    const { clusterId, memberId, token, tickMs, heartbeatIntervalMs } = this.#config;
    const peers = new Peers(
      this.#env,
      {
        clusterId,
        memberId,
        token,
        raftId: directory.raftId,
        bootCount: directory.bootCount,
        session: this.#session,
        levelMax,
        tickMs,
        heartbeatIntervalMs,
        snapshotBytesPerSecond: this.#config.snapshotBytesPerSecond,
      },
      { ...this.#peersEvents, onToldRegressed: (reason) => this.#onRegressed(reason) },
    );
    const others = this.#config.members.filter((m) => m.memberId !== memberId);
    peers.setMembers(
      others.map((m) => ({
        memberId: m.memberId,
        raftId: 0,
        name: m.name,
        peerUrls: m.peerUrls,
        addresses: m.peerAddresses,
      })),
    );
    return peers;
  }

  #onWiped(record: GenesisRecord, reason: string): void {
    this.#events.onPhase(Phase.Refused, reason);
    this.#env.trace.error("wiped member does not take part", {
      genesis: record.genesisId,
      reason,
    });
  }

  /**
   * A peer has met a later start of this directory: what it promised since is not in it, so it must
   * not speak again (P4). That is written down first: starts alone would catch up with the peers' count.
   */
  #onRegressed(reason: string): void {
    if (this.#regressed) return;
    this.#regressed = true;
    const directory = must(this.directory, "peers exist once the directory is open");
    this.#events.onPhase(Phase.Refused, reason);
    this.#env.trace.error("this directory is an older copy", { reason });
    this.#env.trace.mark("identity.regressed");
    this.peers?.close();
    directory.markRegressed(() =>
      this.#env.fatal(
        ExitCode.Damaged,
        `${this.#config.directory} is an older copy, or a copy of it is in use: ${reason}; keep it, and ` +
          "bring this member back with an empty directory, so that the others replace it",
      ),
    );
  }

  #onGenesis(record: GenesisRecord, directory: DataDirectory): void {
    this.#events.onPhase(Phase.Recovering, "recovering the log");
    this.#env.trace.info("genesis started", {
      genesis: record.genesisId,
      members: record.members.length,
    });
    openStorage(this.#env, directory, this.#config.storage, (outcome) => {
      if (!outcome.ok) {
        return this.#refuse(outcome);
      }
      this.#events.onStorage(record, outcome.storage, outcome.recovered);
    });
  }
}
