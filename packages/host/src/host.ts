// One cluster member (DESIGN.md): opens its directory, founds or joins the genesis, recovers, runs
// Raft and the state machine, answers requests. This file is the life cycle and the wiring; the work
// of a turn is in pump.ts. The very same class runs in production and in the simulator.
import { assert, must } from "@quorate/base";
import { KvError, KvState, OperationKind } from "@quorate/kv";
import type { HashKvTask } from "@quorate/kv";
import { RaftNode, raftDefaults, Role, TransferOutcome } from "@quorate/raft";
import type { Message } from "@quorate/raft";
import { ExitCode, GenesisState, openDirectory, openStorage, PeerRecord } from "@quorate/storage";
import type {
  CheckpointInfo,
  DataDirectory,
  Env,
  Recovered,
  Refusal,
  SnapshotSink,
  StorageApi,
} from "@quorate/storage";
import { Checkpointer } from "./checkpointer.ts";
import { Digests } from "./digests.ts";
import { decodeGenesis } from "./genesis/genesis-record.ts";
import { Genesis } from "./genesis/genesis.ts";
import { FailureCode, Phase, rangeRequest, TransferResult } from "./host-api.ts";
import type {
  HostApi,
  HostConfig,
  HostCounters,
  HostStatus,
  ReplySink,
  RequestKind,
} from "./host-api.ts";
import { Journal, JournalEvent, JournalKind } from "./journal.ts";
import { encodeAttributes, HostEntryKind, MemberRecord, MembershipTable } from "./membership.ts";
import type { DigestPoint, GenesisRecord, PeersEvents } from "./peers/peers-api.ts";
import { Peers } from "./peers/peers.ts";
import { failure, kvFailure, Proposals, Waiter } from "./proposals.ts";
import { Pump } from "./pump.ts";
import { PendingRead, ReadKind } from "./reads.ts";
import { describeStatus } from "./status.ts";

/** Highest feature level of this binary (P11). */
export const levelMax = 1;

/** Set once the storage is open and Raft runs. */
interface Running {
  readonly raft: RaftNode;
  readonly kv: KvState;
  readonly storage: StorageApi;
  readonly pump: Pump;
  readonly checkpointer: Checkpointer;
  readonly digests: Digests;
}

export class Host implements HostApi {
  readonly #env: Env;
  readonly #config: HostConfig;
  readonly #journal: Journal;
  readonly #membership: MembershipTable;
  readonly #proposals: Proposals;
  #session: number;
  #phase: Phase;
  #reason: string;
  #directory: DataDirectory | null;
  #peers: Peers | null;
  #genesis: Genesis | null;
  #running: Running | null;
  #nowTick: number;
  #leader: number;
  #leaderChanges: number;
  #lastLeaderHeardTick: number;
  #publishing: boolean;
  #snapshotsSent: number;
  #snapshotsReceived: number;
  #transfer: {
    readonly to: number;
    readonly deadlineTick: number;
    readonly done: (r: TransferResult) => void;
  } | null;
  #hashTask: { readonly task: HashKvTask; readonly done: (r: HashKvTask | KvError) => void } | null;

  constructor(env: Env, config: HostConfig) {
    assert(
      config.members.some((m) => m.memberId === config.memberId),
      "this member is one of the listed members",
    );
    this.#env = env;
    this.#config = config;
    this.#journal = new Journal();
    this.#membership = new MembershipTable();
    this.#proposals = new Proposals(config.requestsMax, config.requestBytesInFlightMax);
    this.#session = env.random.below(Number.MAX_SAFE_INTEGER) + 1;
    this.#phase = Phase.Opening;
    this.#reason = "opening the data directory";
    this.#directory = null;
    this.#peers = null;
    this.#genesis = null;
    this.#running = null;
    this.#nowTick = 0;
    this.#leader = 0;
    this.#leaderChanges = 0;
    this.#lastLeaderHeardTick = 0;
    this.#publishing = false;
    this.#snapshotsSent = 0;
    this.#snapshotsReceived = 0;
    this.#transfer = null;
    this.#hashTask = null;
  }

  // ---- Start --------------------------------------------------------------------------------------

  start(): void {
    const { directory, walDirectory, clusterId, memberId } = this.#config;
    const options = { directory, walDirectory, clusterId, memberId, levelMax };
    openDirectory(this.#env, options, (outcome) => {
      if (!outcome.ok) {
        this.#refuse(outcome);
      }
      this.#onDirectory(outcome.directory);
    });
  }

  #refuse(refusal: Refusal): never {
    return this.#env.fatal(refusal.exitCode, refusal.reason);
  }

  #onDirectory(directory: DataDirectory): void {
    this.#directory = directory;
    const { clusterId, memberId, token, tickMs, heartbeatIntervalMs } = this.#config;
    this.#peers = new Peers(
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
      this.#peerEvents(),
    );
    this.#env.trace.info("directory opened", {
      raftId: directory.raftId,
      bootCount: directory.bootCount,
      fresh: directory.fresh,
    });
    this.#setPeersFromList();
    this.#genesis = new Genesis(
      this.#env,
      { ...this.#config, raftId: directory.raftId, session: this.#session },
      directory,
      {
        onStarted: (record) => this.#onGenesis(record),
        onWiped: (record, reason) => this.#onWiped(record, reason),
        onWaiting: (_missing, reason) => {
          this.#reason = reason;
        },
      },
    );
    this.#peers.attachGenesis(this.#genesis);
    this.#phase = Phase.Genesis;
    this.#reason = "waiting for the genesis";
    this.#genesis.start();
  }

  #setPeersFromList(): void {
    const others = this.#config.members.filter((m) => m.memberId !== this.#config.memberId);
    this.#mustPeers().setMembers(
      others.map((m) => ({
        memberId: m.memberId,
        raftId: 0,
        name: m.name,
        peerUrls: m.peerUrls,
        addresses: m.peerAddresses,
      })),
    );
  }

  #onWiped(record: GenesisRecord, reason: string): void {
    this.#phase = Phase.Refused;
    this.#reason = reason;
    this.#env.trace.error("wiped member does not take part", {
      genesis: record.genesisId,
      reason,
    });
  }

  #onGenesis(record: GenesisRecord): void {
    const directory = must(this.#directory, "genesis runs on an open directory");
    this.#phase = Phase.Recovering;
    this.#reason = "recovering the log";
    this.#mustPeers().setGenesis(record.genesisId);
    this.#event(JournalKind.GenesisStarted, 0, record.members.length, "");
    this.#env.trace.info("genesis started", { genesis: record.genesisId });
    openStorage(this.#env, directory, this.#config.storage, (outcome) => {
      if (!outcome.ok) {
        this.#refuse(outcome);
      }
      this.#onStorage(record, outcome.storage, outcome.recovered);
    });
  }

  #onStorage(record: GenesisRecord, storage: StorageApi, recovered: Recovered): void {
    const directory = must(this.#directory, "storage is opened on an open directory");
    const peers = this.#mustPeers();
    const checkpoint = recovered.checkpoint;
    const kv = this.#makeState(storage, record, checkpoint);
    const raft = new RaftNode(this.#raftConfig(directory), this.#initialState(recovered));
    const applied = checkpoint === null ? 0 : checkpoint.index;
    const appliedTerm = checkpoint === null ? 0 : checkpoint.term;
    const pump = new Pump({
      env: this.#env,
      raft,
      kv,
      storage,
      peers,
      membership: this.#membership,
      proposals: this.#proposals,
      retryTicks: Math.max(1, Math.floor(this.#electionTicks() / 2)),
      readsMax: this.#config.requestsMax,
      applied,
      appliedTerm,
      events: {
        missing: () => this.#missing(),
        onRole: (role, term, leader) => this.#onRole(role, term, leader),
        onMembershipChanged: () => this.#onMembershipChanged(),
        onApplied: (entry) => this.#mustRunning().digests.onApplied(entry.index),
        onInstalled: (installed) => this.#onInstalled(installed),
        onScanned: (ok) => this.#onScanned(ok),
      },
    });
    const checkpointer = new Checkpointer(
      {
        env: this.#env,
        config: this.#config,
        raft,
        kv,
        storage,
        peers,
        onWritten: (written) => this.#onCheckpoint(written),
        onSent: (to, ok) => this.#onSnapshotSent(to, ok),
      },
      checkpoint,
    );
    pump.attach(checkpointer);
    const digests = new Digests(kv, Math.ceil(5000 / this.#config.tickMs));
    this.#running = { raft, kv, storage, pump, checkpointer, digests };
    this.#phase = Phase.Scanning;
    this.#reason = "rebuilding the key index";
    peers.setRecords(recovered.peers);
    this.#onMembershipChanged();
    this.#env.trace.info("log recovered", {
      term: recovered.hardState.term,
      commit: recovered.hardState.commit,
      lastIndex: recovered.logStartIndex + recovered.entries.length,
      checkpoint: applied,
    });
    pump.schedule();
  }

  #makeState(
    storage: StorageApi,
    record: GenesisRecord,
    checkpoint: CheckpointInfo | null,
  ): KvState {
    const kv = new KvState({
      rows: storage.rows,
      clusterId: BigInt(`0x${this.#config.clusterId}`),
      memberId: BigInt(`0x${this.#config.memberId}`),
      txnOpsMax: this.#config.txnOpsMax,
      rangeBytesMax: this.#config.rangeBytesMax,
    });
    kv.register(this.#membership);
    if (checkpoint === null) {
      this.#membership.found(record);
    } else {
      const ok = kv.beginRebuild(checkpoint.tables);
      assert(ok, "the tables of a verified checkpoint can be read");
    }
    return kv;
  }

  #raftConfig(directory: DataDirectory): ConstructorParameters<typeof RaftNode>[0] {
    const random = this.#env.random.fork("raft");
    return {
      ...raftDefaults,
      id: directory.raftId,
      session: this.#session,
      tickMs: this.#config.tickMs,
      electionTimeoutTicks: this.#electionTicks(),
      electionTimeoutRandomizationTicks: Math.ceil(
        this.#config.electionTimeoutRandomizationMs / this.#config.tickMs,
      ),
      heartbeatTicks: Math.max(
        1,
        Math.floor(this.#config.heartbeatIntervalMs / this.#config.tickMs),
      ),
      proposalBytesMax: this.#config.requestBytesMax + proposalOverheadBytes,
      random: { below: (n) => random.below(n) },
      level: levelMax,
      quiet:
        !directory.fresh &&
        directory.genesisState === GenesisState.Started &&
        this.#membership.confState.voters.length > 1,
    };
  }

  #initialState(recovered: Recovered): ConstructorParameters<typeof RaftNode>[1] {
    const last = recovered.entries[recovered.entries.length - 1];
    return {
      hardState: recovered.hardState,
      confState: this.#membership.confState,
      snapshotIndex: recovered.logStartIndex,
      snapshotTerm: recovered.logStartTerm,
      entries: recovered.entries,
      applied: recovered.checkpoint === null ? 0 : recovered.checkpoint.index,
      wallMs: last === undefined ? 0 : last.wallMs,
      level: levelMax,
    };
  }

  // ---- Time ---------------------------------------------------------------------------------------

  tick(ticks: number): void {
    this.#nowTick += ticks;
    this.#peers?.tick(ticks);
    this.#genesis?.tick(ticks);
    const running = this.#running;
    if (running === null || this.#phase === Phase.Stopped) {
      this.#peers?.flush();
      return;
    }
    this.#proposals.expire(this.#nowTick);
    running.pump.tick(this.#nowTick, ticks);
    running.storage.tick();
    this.#tellDigests(running, ticks);
    this.#checkTransfer(running);
    this.#stepHash();
    this.#maybePublish(running);
  }

  #tellDigests(running: Running, ticks: number): void {
    if (!running.pump.scanned) {
      return;
    }
    const idle = running.digests.tick(ticks, running.pump.applied);
    const fresh = running.digests.takeNew();
    const point = fresh ?? idle;
    if (point !== null) {
      this.#mustPeers().broadcastDigest(point);
    }
  }

  #onDigestPoint(from: number, point: DigestPoint): void {
    const difference = this.#running?.digests.difference(point) ?? null;
    if (difference !== null) {
      const member = this.#membership.byRaftId(from);
      this.#reason = `${difference} from ${member?.name ?? String(from)}`;
      this.#env.trace.error("digest differs", { member: member?.name ?? "", reason: difference });
    }
  }

  // ---- Requests -----------------------------------------------------------------------------------

  request(kind: RequestKind, payload: Uint8Array, serializable: boolean, sink: ReplySink): void {
    const running = this.#serving(sink);
    if (running === null) {
      return;
    }
    if (kind === rangeRequest) {
      this.#read(running, ReadKind.Range, payload, serializable, sink);
      return;
    }
    if (payload.length > this.#config.requestBytesMax) {
      this.#failLater(() => sink.fail(failure(FailureCode.TooLarge)));
      return;
    }
    const refusal = running.kv.check(kind, payload);
    if (refusal !== KvError.None) {
      this.#failLater(() => sink.fail(kvFailure(refusal)));
      return;
    }
    if (kind === OperationKind.Txn && running.kv.isReadOnlyTxn(payload)) {
      this.#read(running, ReadKind.Txn, payload, serializable, sink);
      return;
    }
    const envelope = running.kv.envelope("", 0, payload);
    this.#propose(running, new Waiter(kind, envelope, sink, this.#deadlineTick()));
  }

  readBarrier(sink: ReplySink): void {
    const running = this.#serving(sink);
    if (running !== null) {
      this.#read(running, ReadKind.Barrier, noBytes, false, sink);
    }
  }

  #serving(sink: ReplySink): Running | null {
    if (this.#running === null || this.#phase > Phase.Running) {
      const early = this.#phase < Phase.Stopping || this.#phase === Phase.Refused;
      const code = early ? FailureCode.NoLeader : FailureCode.Stopped;
      this.#failLater(() => sink.fail(failure(code, early ? this.#missing() : [])));
      return null;
    }
    return this.#running;
  }

  #propose(running: Running, waiter: Waiter): void {
    if (!this.#proposals.admit(waiter)) {
      this.#failLater(() => waiter.sink.fail(failure(FailureCode.TooManyRequests)));
      return;
    }
    running.pump.propose(waiter);
  }

  #read(
    running: Running,
    kind: ReadKind,
    payload: Uint8Array,
    serializable: boolean,
    sink: ReplySink,
  ): void {
    const read = new PendingRead(kind, payload, sink, this.#deadlineTick());
    const reads = running.pump.reads;
    if (!(serializable ? reads.addLocal(read) : reads.add(read))) {
      this.#failLater(() => sink.fail(failure(FailureCode.TooManyRequests)));
      return;
    }
    running.pump.schedule();
  }

  /** Replies never come inside the call (ReplySink). */
  #failLater(fail: () => void): void {
    this.#env.schedule(fail);
  }

  #deadlineTick(): number {
    return this.#nowTick + Math.ceil(this.#config.requestTimeoutMs / this.#config.tickMs);
  }

  #electionTicks(): number {
    return Math.max(2, Math.floor(this.#config.electionTimeoutMs / this.#config.tickMs));
  }

  // ---- What peers say -----------------------------------------------------------------------------

  #peerEvents(): PeersEvents {
    return {
      hello: () => this.#hello(),
      onMessage: (message) => this.#running?.pump.step(message),
      persistPeer: (record, done) => this.#persistPeer(record, done),
      onSession: (id, session, term, lastIndex) => this.#onSession(id, session, term, lastIndex),
      onRegressed: (id, reason) => this.#onRegressed(id, reason),
      onProcessGone: (id, session) => this.#onProcessGone(id, session),
      onQuietResolved: () => {
        this.#running?.raft.endQuiet();
        this.#running?.pump.schedule();
      },
      onUnreachable: (id) => {
        this.#running?.raft.peerUnreachable(id);
        this.#running?.pump.schedule();
      },
      onRoundTrip: () => undefined,
      onForwardProposal: (from, number, kind, payload) =>
        this.#running?.pump.onForwardProposal(from, number, kind, payload),
      onForwardAnswer: (number, outcome, index, term) =>
        this.#running?.pump.onForwardAnswer(number, outcome, index, term),
      onForwardRead: (from, number) => this.#running?.pump.onForwardRead(from, number),
      onForwardReadAnswer: (number, index) =>
        this.#running?.pump.onForwardReadAnswer(number, index),
      onDigestPoint: (from, point) => this.#onDigestPoint(from, point),
      stageSnapshot: (files, id) => this.#stageSnapshot(files, id),
      onSnapshotStaged: (message, sink, checkpoint) =>
        this.#onSnapshotStaged(message, sink, checkpoint),
    };
  }

  #hello(): { term: number; lastIndex: number; leader: number } {
    const raft = this.#running?.raft;
    if (raft === undefined) {
      return { term: 0, lastIndex: 0, leader: 0 };
    }
    const status = raft.status();
    return { term: status.term, lastIndex: status.durableIndex, leader: status.leader };
  }

  #persistPeer(record: PeerRecord, done: () => void): void {
    const running = this.#running;
    if (running === null || this.#phase === Phase.Stopped) {
      return; // before recovery and after the stop no session is accepted
    }
    const hardState = running.raft.hardState();
    running.storage.append(
      { hardState, firstIndex: 0, entries: [], peers: [record], mustSync: true },
      done,
    );
  }

  #onSession(id: number, session: number, term: number, lastIndex: number): void {
    const running = this.#mustRunning();
    this.#event(JournalKind.PeerSession, id, lastIndex, "");
    if (running.raft.peerSession(id, session, term, lastIndex)) {
      this.#onRegressed(id, `its log ends at ${lastIndex} in term ${term}, below what it promised`);
    }
    running.pump.schedule();
  }

  #onRegressed(id: number, reason: string): void {
    const name = this.#membership.byRaftId(id)?.name ?? String(id);
    this.#event(JournalKind.PeerRegressed, id, 0, reason);
    this.#env.trace.error("peer regressed", { member: name, reason });
  }

  #onProcessGone(id: number, session: number): void {
    const running = this.#running;
    if (running !== null) {
      this.#event(JournalKind.LeaderGone, id, 0, "connection closed and refused");
      running.raft.leaderGone(id, session);
      running.pump.schedule();
    }
  }

  #stageSnapshot(
    files: Parameters<StorageApi["stage"]>[0],
    checkpointId: number,
  ): SnapshotSink | null {
    const running = this.#running;
    if (running === null || running.pump.installing || this.#phase > Phase.Running) {
      return null;
    }
    return running.storage.stage(files, checkpointId);
  }

  #onSnapshotStaged(message: Message, sink: SnapshotSink, checkpoint: CheckpointInfo): void {
    this.#mustRunning().pump.onSnapshotStaged(message, { sink, checkpointId: checkpoint.id });
  }

  // ---- What the pump says -------------------------------------------------------------------------

  #onRole(role: Role, term: number, leader: number): void {
    if (leader !== 0 && leader !== this.#leader) {
      this.#leaderChanges += 1;
    }
    this.#leader = leader;
    const kind =
      role === Role.Leader
        ? JournalKind.BecameLeader
        : role === Role.Follower
          ? JournalKind.BecameFollower
          : JournalKind.ElectionStarted;
    this.#event(kind, leader, 0, "");
    const missing = leader === 0 ? this.#missing().join(",") : "";
    this.#env.trace.info("role changed", {
      role: roleNames[role],
      term,
      leader: this.#membership.byRaftId(leader)?.name ?? "",
      ...(missing === "" ? {} : { missing }),
    });
  }

  #onMembershipChanged(): void {
    const { memberId, members } = this.#config;
    const addresses = new Map(members.map((m) => [m.memberId, m.peerAddresses]));
    const peers = this.#mustPeers();
    peers.setMembers(
      this.#membership.members
        .filter((m) => m.memberId !== memberId)
        .map((m) => ({
          memberId: m.memberId,
          raftId: m.raftId,
          name: m.name,
          peerUrls: m.peerUrls,
          addresses: addresses.get(m.memberId) ?? m.peerUrls.map(addressOf),
        })),
    );
    const { voters, votersOutgoing } = this.#membership.confState;
    peers.setVoters([...new Set([...voters, ...votersOutgoing])]);
  }

  #onInstalled(checkpoint: CheckpointInfo): void {
    this.#phase = Phase.Scanning;
    this.#reason = "rebuilding the key index after a snapshot";
    this.#snapshotsReceived += 1;
    this.#mustRunning().digests.reset();
    this.#event(JournalKind.SnapshotInstalled, 0, checkpoint.index, "");
    this.#env.trace.info("snapshot installed", { index: checkpoint.index });
    this.#onMembershipChanged();
  }

  #onScanned(ok: boolean): void {
    if (!ok) {
      this.#env.fatal(
        ExitCode.Damaged,
        `${this.#config.directory}: the rows do not match the digest of their checkpoint; ` +
          "restore this member from its peers",
      );
    }
    if (this.#phase === Phase.Scanning) {
      this.#phase = Phase.Running;
      this.#reason = "";
      this.#env.trace.info("serving", { revision: this.#mustRunning().kv.revision });
    }
  }

  #onCheckpoint(checkpoint: CheckpointInfo): void {
    this.#event(JournalKind.CheckpointWritten, 0, checkpoint.index, "");
    this.#env.trace.debug("checkpoint written", { index: checkpoint.index });
    this.#mustRunning().pump.onCheckpointWritten();
  }

  #onSnapshotSent(to: number, ok: boolean): void {
    this.#snapshotsSent += 1;
    this.#event(JournalKind.SnapshotSent, to, ok ? 1 : 0, "");
    const running = this.#mustRunning();
    running.raft.snapshotSent(to, ok);
    running.pump.schedule();
  }

  // ---- Own name and client URLs (etcd's publish) ----------------------------------------------------

  #maybePublish(running: Running): void {
    const own = this.#membership.byMemberId(this.#config.memberId);
    if (this.#phase !== Phase.Running || this.#publishing || own === null || this.#leader === 0) {
      return;
    }
    const listed = must(
      this.#config.members.find((m) => m.memberId === this.#config.memberId),
      "this member is listed",
    );
    const urls = this.#config.clientUrls;
    if (own.name === listed.name && sameTexts(own.clientUrls, urls)) {
      return;
    }
    const record = new MemberRecord(own.memberId, own.raftId, listed.name, own.peerUrls, urls);
    this.#publishing = true;
    const again = (): void => {
      this.#publishing = false;
    };
    const payload = encodeAttributes(record);
    const sink = { reply: again, fail: again };
    this.#propose(
      running,
      new Waiter(HostEntryKind.Attributes, payload, sink, this.#deadlineTick()),
    );
  }

  // ---- Operations -----------------------------------------------------------------------------------

  transferLeadership(memberId: string, done: (result: TransferResult) => void): void {
    const target = this.#membership.byMemberId(memberId);
    const running = this.#running;
    if (running === null || !running.raft.isLeader()) {
      this.#failLater(() => done(TransferResult.NotLeader));
      return;
    }
    if (target === null || this.#transfer !== null) {
      this.#failLater(() => done(TransferResult.BadTarget));
      return;
    }
    if (running.raft.status().id === target.raftId) {
      this.#failLater(() => done(TransferResult.Done));
      return;
    }
    if (running.raft.transferLeadership(target.raftId) !== TransferOutcome.Started) {
      this.#failLater(() => done(TransferResult.BadTarget));
      return;
    }
    const deadlineTick = this.#nowTick + 2 * this.#electionTicks();
    this.#transfer = { to: target.raftId, deadlineTick, done };
    running.pump.schedule();
  }

  #checkTransfer(running: Running): void {
    const transfer = this.#transfer;
    if (transfer === null) {
      return;
    }
    const arrived = running.raft.leader() === transfer.to;
    if (arrived || this.#nowTick >= transfer.deadlineTick) {
      this.#transfer = null;
      transfer.done(arrived ? TransferResult.Done : TransferResult.TimedOut);
    }
  }

  hashKv(revision: number, done: (result: HashKvTask | KvError) => void): void {
    const running = this.#running;
    if (running === null || !running.pump.scanned || this.#hashTask !== null) {
      this.#failLater(() => done(KvError.ResponseTooLarge));
      return;
    }
    const task = running.kv.hashKv(revision);
    if (typeof task === "number") {
      this.#failLater(() => done(task));
      return;
    }
    this.#hashTask = { task, done };
    this.#env.schedule(() => this.#stepHash());
  }

  #stepHash(): void {
    const hash = this.#hashTask;
    if (hash === null) {
      return;
    }
    if (hash.task.step(hashRowsPerTurn)) {
      this.#hashTask = null;
      hash.done(hash.task);
    } else {
      this.#env.schedule(() => this.#stepHash());
    }
  }

  // ---- Stop -----------------------------------------------------------------------------------------

  stop(done: () => void): void {
    const running = this.#running;
    if (this.#phase >= Phase.Stopping && this.#phase !== Phase.Refused) {
      return;
    }
    this.#phase = Phase.Stopping;
    this.#reason = "stopping";
    const heir = running === null ? null : this.#heir(running);
    if (heir === null) {
      this.#close(done);
      return;
    }
    this.#env.trace.info("handing over leadership", { to: heir.name });
    this.transferLeadership(heir.memberId, () => this.#close(done));
  }

  /** The voter that lacks least of the log, if this member leads and there is one. */
  #heir(running: Running): MemberRecord | null {
    const status = running.raft.status();
    if (status.role !== Role.Leader) {
      return null;
    }
    let best = 0;
    let bestMatch = -1;
    for (const progress of status.progress) {
      const voter = status.confState.voters.includes(progress.id);
      const live = progress.silentTicks < this.#electionTicks();
      if (voter && live && progress.id !== status.id && progress.match > bestMatch) {
        best = progress.id;
        bestMatch = progress.match;
      }
    }
    return best === 0 ? null : this.#membership.byRaftId(best);
  }

  #close(done: () => void): void {
    this.#running?.pump.stop();
    this.#peers?.flush();
    this.#peers?.close();
    const finish = (): void => {
      this.#phase = Phase.Stopped;
      this.#reason = "stopped";
      this.#env.trace.info("stopped");
      done();
    };
    if (this.#running === null) {
      finish();
    } else {
      this.#running.storage.close(finish);
    }
  }

  // ---- Status ---------------------------------------------------------------------------------------

  /** Names of the voters not heard for an election timeout. */
  #missing(): readonly string[] {
    const silentMax = this.#config.electionTimeoutMs;
    const peers = this.#peers;
    return peers === null
      ? []
      : peers
          .status()
          .filter((p) => p.silentMs < 0 || p.silentMs > silentMax)
          .map((p) => p.name)
          .sort();
  }

  status(): HostStatus {
    const running = this.#running;
    return describeStatus({
      config: this.#config,
      phase: this.#phase,
      reason: this.#reason,
      session: this.#session,
      directory: this.#directory,
      membership: this.#membership,
      peers: this.#peers?.status() ?? [],
      missing: this.#missing(),
      raft: running?.raft.status() ?? null,
      kv: running?.kv ?? null,
      applied: running?.pump.applied ?? 0,
      usage: running?.storage.usage() ?? null,
      requestsInFlight: this.#proposals.count + (running?.pump.reads.count ?? 0),
    });
  }

  counters(): HostCounters {
    const running = this.#running;
    return {
      proposalsCommitted: running?.raft.status().committed ?? 0,
      proposalsApplied: running?.pump.applied ?? 0,
      proposalsPending: this.#proposals.count,
      proposalsFailed: this.#proposals.failed,
      leaderChanges: this.#leaderChanges,
      heartbeatSendFailures: 0,
      slowReadIndexes: running?.pump.reads.retries ?? 0,
      snapshotsSent: this.#snapshotsSent,
      snapshotsReceived: this.#snapshotsReceived,
    };
  }

  journal(): readonly JournalEvent[] {
    return this.#journal.events();
  }

  #event(kind: JournalKind, peer: number, value: number, reason: string): void {
    const { clock } = this.#env;
    const term = this.#running?.raft.term() ?? 0;
    this.#journal.add(
      new JournalEvent(kind, clock.monotonicMs(), clock.wallMs(), term, peer, value, reason),
    );
  }

  #mustPeers(): Peers {
    return must(this.#peers, "peers exist once the directory is open");
  }

  #mustRunning(): Running {
    return must(this.#running, "storage is open");
  }
}

const noBytes = new Uint8Array(0);
/** The envelope around a request's bytes: user name and auth revision. */
const proposalOverheadBytes = 4096;
const hashRowsPerTurn = 20_000;

const roleNames = {
  [Role.Follower]: "follower",
  [Role.PreCandidate]: "pre-candidate",
  [Role.Candidate]: "candidate",
  [Role.Leader]: "leader",
} as const;

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}

/** "host:port" of a peer URL. */
export function addressOf(url: string): string {
  const start = url.indexOf("://");
  return start < 0 ? url : url.slice(start + 3).replace(/\/.*$/, "");
}
