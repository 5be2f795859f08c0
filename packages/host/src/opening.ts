// From an empty process to an open store: who it is (when it joins), directory, peers, genesis (P1),
// recovery. Every step waits for the one before; what refuses ends the process with its own exit code.
import { must } from "@quorate/base";
import {
  ExitCode,
  GenesisState,
  mayRunRaft,
  openDirectory,
  openStorage,
  isOwnedNow,
  ownerNow,
} from "@quorate/storage";
import type { DataDirectory, Env, Recovered, Refusal, StorageApi } from "@quorate/storage";
import { endSuperseded } from "./endings.ts";
import { decodeGenesisRecord, encodeGenesisRecord } from "./genesis/genesis-record.ts";
import { Genesis } from "./genesis/genesis.ts";
import type { Listed } from "./genesis/member-list.ts";
import { Phase } from "./host-api.ts";
import type { HostConfig } from "./host-api.ts";
import type { JoinFacts } from "./joining/join-frames.ts";
import { Joining } from "./joining/joining.ts";
import { addressIn } from "./members/peer-list.ts";
import { tokenUntold } from "./peers/hello.ts";
import type { GenesisRecord, PeersEvents } from "./peers/peers-api.ts";
import { Peers } from "./peers/peers.ts";
import { levelMax } from "./raft-settings.ts";
import { finishFirst, setAsideOrEnd } from "./setting-aside.ts";

export interface OpeningEvents {
  onPhase(phase: Phase, reason: string): void;
  /** The ids in the configuration are the directory's from now on, and these are to be dialled. */
  onIdentified(config: HostConfig, introduced: readonly Listed[]): void;
  onStorage(record: GenesisRecord, storage: StorageApi, recovered: Recovered): void;
}

/** What peers say to the host; the rest is about the directory. */
export type HostPeersEvents = Omit<PeersEvents, "onToldRegressed" | "onToldSuperseded">;

export class Opening {
  readonly #env: Env;
  #config: HostConfig;
  readonly #session: number;
  readonly #peersEvents: HostPeersEvents;
  readonly #events: OpeningEvents;
  directory: DataDirectory | null;
  peers: Peers | null;
  #joining: Joining | null;
  /** What it was told is being written down; then it ends. */
  #ending: boolean;

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
    this.#joining = null;
    this.#ending = false;
  }

  start(): void {
    finishFirst(this.#env, this.#config, () => this.#begin());
  }

  #begin(): void {
    const { directory } = this.#config;
    const owner = ownerNow(this.#env, directory);
    // What a recovery has made has ids of its own: flags from before it go on to work.
    const join = this.#config.join || owner?.recovered === true;
    this.#config = { ...this.#config, join };
    if (!join) return this.#open(null);
    // Whose it is cannot be read, for now or for good: that is said, and nobody is asked to join.
    if (owner === null && isOwnedNow(this.#env, directory)) return this.#open(null);
    if (owner === null || owner.genesisState === GenesisState.None) return this.#askWhoIAm();
    if (!mayRunRaft(owner.genesisState)) {
      return this.#refuse({
        ok: false,
        exitCode: ExitCode.Foreign,
        reason:
          `data directory ${directory} was made to found a cluster: ` +
          "it cannot join; start it with --initial-cluster-state new, or join with an empty one",
      });
    }
    this.#identify(owner.clusterId, owner.memberId, []);
    this.#open(null);
  }

  tick(ticks: number): void {
    this.#joining?.tick(ticks);
    this.peers?.tick(ticks);
  }

  #askWhoIAm(): void {
    const own = this.#own();
    const others = this.#config.members.filter((member) => member !== own);
    const addresses = others.flatMap((member) => member.peerAddresses);
    if (addresses.length === 0) {
      return this.#refuse({
        ok: false,
        exitCode: ExitCode.Usage,
        reason:
          `${this.#config.directory} is empty and there is nobody to ask: --initial-cluster must ` +
          "list the members of the cluster that is to be joined, and this one",
      });
    }
    const joining = new Joining({
      env: this.#env,
      ask: { name: own.name, peerUrls: own.peerUrls },
      addresses,
      tickMs: this.#config.tickMs,
      onFacts: (facts) => this.#onFacts(facts),
      onWaiting: (reason) => {
        this.#env.trace.info("joining", { reason });
        this.#events.onPhase(Phase.Genesis, reason);
      },
    });
    this.#joining = joining;
    joining.start();
  }

  #onFacts(facts: JoinFacts): void {
    const { clusterId, memberId } = facts;
    this.#joining = null;
    this.#env.trace.info("joining the cluster", { cluster: clusterId, member: memberId });
    this.#identify(clusterId, memberId, facts.members);
    this.#open(facts);
  }

  #own(): HostConfig["members"][number] {
    const { members, memberId } = this.#config;
    return must(
      members.find((member) => member.memberId === memberId),
      "this member is listed",
    );
  }

  #identify(clusterId: string, memberId: string, introduced: readonly Listed[]): void {
    const own = this.#own();
    const others = this.#config.members.filter((member) => member !== own);
    const members = [...others, { ...own, memberId }];
    this.#config = { ...this.#config, clusterId, memberId, members };
    this.#events.onIdentified(this.#config, introduced);
  }

  #open(facts: JoinFacts | null): void {
    const { directory, walDirectory, clusterId, memberId } = this.#config;
    const joins = facts !== null;
    const options = { directory, walDirectory, clusterId, memberId, levelMax, joins };
    openDirectory(this.#env, options, (outcome) => {
      if (!outcome.ok) {
        return this.#refuse(outcome);
      }
      this.#onDirectory(outcome.directory, facts);
    });
  }

  #refuse(refusal: Refusal): void {
    this.#events.onPhase(Phase.Refused, refusal.reason);
    this.peers?.close();
    setAsideOrEnd(this.#env, this.#config, refusal);
  }

  #onDirectory(directory: DataDirectory, facts: JoinFacts | null): void {
    this.directory = directory;
    this.#env.trace.info("directory opened", {
      raftId: directory.raftId,
      bootCount: directory.bootCount,
      fresh: directory.fresh,
    });
    if (facts === null) return this.#beginGenesis(directory, []);
    // Before the first answer (P1): under this raft id it is a member of this genesis and of no other.
    const record = encodeGenesisRecord(facts.genesis);
    this.#env.trace.mark("joining.write");
    directory.writeGenesis(GenesisState.Joined, record, () => {
      this.#env.trace.mark("joining.written");
      this.#beginGenesis(directory, facts.members);
    });
  }

  #beginGenesis(directory: DataDirectory, introduced: readonly Listed[]): void {
    const peers = this.#makePeers(directory, introduced);
    this.peers = peers;
    const genesis = new Genesis(
      this.#env,
      {
        memberId: this.#config.memberId,
        members: this.#founders(directory),
        raftId: directory.raftId,
        session: this.#session,
      },
      directory,
      {
        onStarted: (record) => this.#onGenesis(record, directory),
        onWiped: (_record, reason) => this.#env.trace.warn("this member rejoins", { reason }),
        onWaiting: (_missing, reason) => this.#events.onPhase(Phase.Genesis, reason),
      },
    );
    peers.attachGenesis(genesis);
    this.#events.onPhase(Phase.Genesis, "waiting for the genesis");
    genesis.start();
  }

  /** Of a started genesis those that it names: how a member that joins was started does not say. */
  #founders(directory: DataDirectory): readonly Listed[] {
    const { join, members, memberId } = this.#config;
    const record = join ? decodeGenesisRecord(directory.genesis) : null;
    if (record === null) return members;
    const others = record.members.filter((member) => member.memberId !== memberId);
    return [...others, this.#own()];
  }

  #makePeers(directory: DataDirectory, introduced: readonly Listed[]): Peers {
    const { clusterId, memberId, token, tickMs } = this.#config;
    const peers = new Peers(
      this.#env,
      {
        clusterId,
        memberId,
        token: directory.genesisState === GenesisState.Joined ? tokenUntold : token,
        raftId: directory.raftId,
        bootCount: directory.bootCount,
        session: this.#session,
        levelMax,
        tickMs,
        heartbeatIntervalMs: this.#config.heartbeatIntervalMs,
        electionTimeoutMs: this.#config.electionTimeoutMs,
        snapshotBytesPerSecond: this.#config.snapshotBytesPerSecond,
      },
      {
        ...this.#peersEvents,
        onToldRegressed: (reason) => this.#onRegressed(reason),
        onToldSuperseded: (reason) => this.#onSuperseded(reason),
      },
    );
    const { members, join } = this.#config;
    const others: readonly Listed[] = join ? introduced : members;
    peers.setMembers(
      others
        .filter((m) => m.memberId !== memberId)
        .map((m) => ({
          memberId: m.memberId,
          raftId: 0,
          name: m.name,
          peerUrls: m.peerUrls,
          addresses: m.peerUrls.map((url) => addressIn(members, url)),
        })),
    );
    return peers;
  }

  /**
   * A peer has met a later start of this directory: what it promised since is not in it, so it must
   * not speak again (P4). That is written down first: starts alone would catch up with the peers' count.
   */
  #onRegressed(reason: string): void {
    if (this.#ending) return;
    this.#ending = true;
    const directory = must(this.directory, "peers exist once the directory is open");
    this.#events.onPhase(Phase.Refused, reason);
    this.#env.trace.error("this directory is an older copy", { reason });
    this.#env.trace.mark("identity.regressed");
    this.peers?.close();
    directory.markRegressed(() =>
      setAsideOrEnd(this.#env, this.#config, {
        ok: false,
        exitCode: ExitCode.Damaged,
        reason: `${this.#config.directory} is an older copy, or a copy of it is in use: ${reason}`,
        rejoins: { tables: [], peers: 1 },
      }),
    );
  }

  /**
   * Its cluster goes on without it under another id. A member that took part keeps that as a tombstone:
   * those that could tell it again may not be there next time (reliability.md §4.4).
   */
  #onSuperseded(reason: string): void {
    if (this.#ending) return;
    this.#ending = true;
    const directory = must(this.directory, "peers exist once the directory is open");
    this.#events.onPhase(Phase.Refused, reason);
    this.#env.trace.error("this member is superseded", { reason });
    this.peers?.close();
    const end = (): never => endSuperseded(this.#env, this.#config.directory, reason);
    // What never was a member of it has nothing to forget.
    if (!mayRunRaft(directory.genesisState)) return end();
    this.#env.trace.mark("identity.superseded");
    directory.markSuperseded(reason, end);
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
