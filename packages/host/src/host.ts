// One cluster member (DESIGN.md): opens its directory, founds or joins the genesis, recovers, runs
// Raft and the state machine, answers requests. This file is the life cycle and the wiring; the work
// of a turn is in pump.ts. The very same class runs in production and in the simulator.
import { must } from "@quorate/base";
import { nobody } from "@quorate/kv";
import type { AlarmCommand, DowngradeCommand, HashKvTask, Identity, KvError } from "@quorate/kv";
import { Role } from "@quorate/raft";
import type { Message } from "@quorate/raft";
import type {
  CheckpointInfo,
  Env,
  PeerRecord,
  Recovered,
  SnapshotSink,
  StorageApi,
} from "@quorate/storage";
import { HostAuth } from "./auth/host-auth.ts";
import { checkConfig } from "./config-check.ts";
import { countersOf, nothingSeen } from "./counters.ts";
import type { SeenCounters } from "./counters.ts";
import { refusalAtDoor } from "./door.ts";
import { endDamagedAlone, endLogHoleAlone, endRemoved } from "./endings.ts";
import { Phase, TransferResult } from "./host-api.ts";
import type {
  HostApi,
  HostConfig,
  HostCounters,
  HostStatus,
  ReplySink,
  RequestKind,
  WatchSink,
  WatchStream,
} from "./host-api.ts";
import { hashInSlices } from "./hash.ts";
import { holdState } from "./held-state.ts";
import type { HeldState } from "./held-state-api.ts";
import { Journal, JournalEvent, JournalKind, roleNames } from "./journal.ts";
import { answerJoin } from "./joining/join-answer.ts";
import { decodeJoinAsk, encodeJoinAnswer } from "./joining/join-frames.ts";
import type { JoinFacts } from "./joining/join-frames.ts";
import { LeaseDoor } from "./lease/lease-door.ts";
import { HostEntryKind } from "./members/entry-kinds.ts";
import { encodeMemberRequest } from "./members/member-request.ts";
import type { MemberRequest } from "./members/member-request.ts";
import { MembershipTable } from "./members/membership-table.ts";
import { addressIn, isLearner, ownUrls, peerList } from "./members/peer-list.ts";
import type { GenesisRecord, HelloFacts } from "./peers/peers-api.ts";
import type { Peers } from "./peers/peers.ts";
import { type HostPeersEvents, Opening } from "./opening.ts";
import { Proposals } from "./proposals.ts";
import { levelMax } from "./raft-settings.ts";
import { Announcer } from "./recover/announcer.ts";
import { isHoleForGood } from "./repair/log-repair.ts";
import { makeRunning } from "./running.ts";
import type { HostInside, Running } from "./running.ts";
import { SettingsTable } from "./settings.ts";
import { Stalls } from "./stalls.ts";
import { describeStatus, missingOf, reasonOf } from "./status.ts";
import { votersOf } from "./voters-on-disk.ts";
import { closedWatch } from "./watch/watch-limits.ts";

/** With so many writes waiting, what has no hurry stands still. */
const queueFrom = 256;

export class Host implements HostApi {
  readonly #env: Env;
  /** The ids in it are its own once the directory is known: who joins is told them. */
  #config: HostConfig;
  readonly #journal: Journal;
  readonly #membership: MembershipTable;
  readonly #settings: SettingsTable;
  readonly #proposals: Proposals;
  readonly #session: number;
  readonly #stalls: Stalls;
  #phase: Phase;
  #reason: string;
  readonly leases: LeaseDoor;
  readonly #opening: Opening;
  #running: Running | null;
  #genesis: GenesisRecord | null;
  /** By whoever answered when this process joined; empty otherwise. */
  #introduced: JoinFacts["members"];
  #isLearner: boolean;
  readonly #announcer: Announcer;
  readonly auth: HostAuth;
  #nowTick: number;
  #leader: number;
  readonly #seen: SeenCounters;

  constructor(env: Env, config: HostConfig) {
    checkConfig(config);
    this.#env = env;
    this.#config = config;
    this.#journal = new Journal();
    this.#membership = new MembershipTable();
    this.#settings = new SettingsTable(levelMax);
    this.#proposals = new Proposals(config.requestsMax, config.requestBytesInFlightMax);
    this.#session = env.random.below(Number.MAX_SAFE_INTEGER) + 1;
    this.#stalls = new Stalls(env.clock, config, (kind, ms) => this.#event(kind, 0, ms, ""));
    this.leases = new LeaseDoor((sink) => this.#serving(sink)?.leases ?? null);
    this.#phase = Phase.Opening;
    this.#reason = "opening the data directory";
    this.#opening = new Opening(env, config, this.#session, this.#peerEvents(), {
      onPhase: (phase, reason) => {
        this.#phase = phase;
        this.#reason = reason;
      },
      onIdentified: (own, introduced) => {
        this.#config = own;
        this.#introduced = introduced;
      },
      onStorage: (record, storage, recovered) => this.#onStorage(record, storage, recovered),
    });
    this.#running = null;
    this.#genesis = null;
    this.#introduced = [];
    this.#isLearner = false;
    this.#announcer = new Announcer(env, config.tickMs);
    const serving = (sink: ReplySink): Running | null => this.#serving(sink);
    this.auth = new HostAuth(
      () => this.#running,
      serving,
      () => this.#nowTick,
    );
    this.#nowTick = 0;
    this.#leader = 0;
    this.#seen = nothingSeen();
  }

  // ---- Start --------------------------------------------------------------------------------------

  start(): void {
    this.#opening.start();
  }

  #onStorage(record: GenesisRecord, storage: StorageApi, recovered: Recovered): void {
    const directory = must(this.#opening.directory, "storage is opened on an open directory");
    const peers = this.#mustPeers();
    const { checkpoint } = recovered;
    this.#genesis = record;
    const running = makeRunning({
      env: this.#env,
      config: this.#config,
      session: this.#session,
      directory,
      peers,
      membership: this.#membership,
      settings: this.#settings,
      proposals: this.#proposals,
      stalls: this.#stalls,
      auth: this.auth,
      genesis: record,
      storage,
      recovered,
      events: {
        missing: () => this.#missing(),
        onRole: (role, term, leader) => this.#onRole(role, term, leader),
        onMembershipChanged: (index) => this.#onMembershipChanged(index),
        onApplied: (entry) => this.#mustRunning().digests.onApplied(entry),
        onInstalled: (installed) => this.#onInstalled(installed),
        onScanned: () => this.#onScanned(),
        onDamaged: (reason) => this.#onDamaged(reason),
        onDigestDiffers: (other, index, text) =>
          this.#event(JournalKind.DigestDiffers, other, index, text),
        handOver: (done) => this.#handOver(done),
        onHole: (index, what) => this.#event(JournalKind.LogHole, 0, index, what),
        onWritten: (written) => this.#onCheckpoint(written),
        onSent: (to, ok) => this.#onSnapshotSent(to, ok),
        onAlarm: (command, sink) => this.alarm(command, sink),
        onHandOver: (memberId, done) => this.transferLeadership(memberId, done),
      },
    });
    this.#running = running;
    this.#phase = Phase.Scanning;
    this.#reason = "rebuilding the key index";
    const { lost } = recovered;
    if (isHoleForGood(recovered, this.#membership.members.length)) {
      const first = running.raft.lastIndex() + 1;
      endLogHoleAlone(this.#env, this.#config.directory, first, recovered.promised?.index ?? first);
    }
    if (lost !== null) {
      this.#mustNotBeAlone(lost.reason);
      this.#reason = `the state is rebuilt from another member's: ${lost.reason}`;
    }
    // Only now: a session is accepted when its record is durable, and that needs the log.
    peers.setRecords(recovered.peers);
    peers.setGenesis(record.genesisId);
    this.#onMembershipChanged(checkpoint?.index ?? lost?.index ?? 0);
    this.#env.trace.info("log recovered", {
      term: recovered.hardState.term,
      commit: recovered.hardState.commit,
      lastIndex: recovered.logStartIndex + recovered.entries.length,
      checkpoint: checkpoint?.index ?? 0,
    });
    running.leadership.campaignIfAlone();
    running.pump.schedule();
  }

  // ---- Time ---------------------------------------------------------------------------------------

  tick(ticks: number): void {
    this.#nowTick += ticks;
    this.#stalls.tick();
    this.#opening.tick(ticks);
    const running = this.#running;
    if (running === null || this.#phase === Phase.Stopped) {
      this.#opening.peers?.flush();
      return;
    }
    this.#proposals.expire(this.#nowTick);
    running.pump.tick(this.#nowTick, ticks);
    running.leases.tick(this.#nowTick);
    running.storage.tick(this.#proposals.count >= queueFrom);
    running.repair.tick(ticks);
    running.logRepair.tick(ticks);
    running.damage.tick();
    running.digestDuty.tick(ticks);
    running.leadership.tick(this.#nowTick);
    running.guest.tick(this.#nowTick);
    if (this.#phase === Phase.Running) this.#announcer.tick(ticks);
    if (this.#phase === Phase.Running && this.#leader !== 0) {
      running.publisher.tick(this.#nowTick);
      running.alarmWatch.tick(this.#nowTick);
      running.tokenDuty.tick(this.#nowTick);
    }
    running.watches.tick(this.#nowTick);
  }

  // ---- Requests -----------------------------------------------------------------------------------

  request(
    kind: RequestKind,
    payload: Uint8Array,
    serializable: boolean,
    sink: ReplySink,
    identity: Identity = nobody,
  ): void {
    const running = this.#serving(sink, serializable);
    running?.requests.take(kind, payload, serializable, sink, this.#nowTick, identity);
  }

  readBarrier(sink: ReplySink): void {
    this.auth.barrier(sink);
  }

  changeMembers(request: MemberRequest, sink: ReplySink): void {
    const payload = encodeMemberRequest(request);
    const kind = HostEntryKind.MemberRequest;
    this.#serving(sink)?.requests.propose(kind, payload, sink, this.#nowTick);
  }

  alarm(command: AlarmCommand, sink: ReplySink, identity: Identity = nobody): void {
    this.#serving(sink)?.requests.alarm(command, identity, sink, this.#nowTick);
  }

  downgrade(command: DowngradeCommand, sink: ReplySink, identity: Identity = nobody): void {
    this.#serving(sink)?.requests.downgrade(command, identity, sink, this.#nowTick);
  }

  watch(sink: WatchSink, requiresLeader: boolean): WatchStream {
    const running = this.#serving(sink, true);
    return running?.watches.open(sink, requiresLeader) ?? closedWatch;
  }

  #serving(sink: Pick<ReplySink, "fail">, serializable: boolean = false): Running | null {
    const running = this.#running;
    const why = refusalAtDoor(this.#phase, running, serializable, () => this.#missing());
    if (why === null) return running;
    this.#env.schedule(() => sink.fail(why));
    return null;
  }

  transferLeadership(memberId: string, done: (result: TransferResult) => void): void {
    const running = this.#running;
    const result =
      running === null
        ? TransferResult.NotLeader
        : running.leadership.start(memberId, this.#nowTick, done);
    if (result !== null) this.#env.schedule(() => done(result));
    else running?.pump.schedule();
  }

  hashKv(revision: number, done: (result: HashKvTask | KvError) => void): void {
    const kv = this.#running !== null && this.#running.pump.scanned ? this.#running.kv : null;
    hashInSlices(this.#env, kv, revision, () => this.#phase === Phase.Running, done);
  }

  holdState(done: (held: HeldState | null) => void): void {
    const serving = (): boolean => this.#phase === Phase.Running;
    holdState(this.#env, this.#running, this.#membership, serving, done);
  }

  // ---- What peers say -----------------------------------------------------------------------------

  #peerEvents(): HostPeersEvents {
    return {
      hello: () => this.#hello(),
      addressOf: (url) => addressIn(this.#config.members, url),
      onMessage: (message) => this.#running?.pump.step(message),
      persistPeer: (record, done) => this.#persistPeer(record, done),
      onSession: (id, session, term, lastIndex) => this.#onSession(id, session, term, lastIndex),
      onRegressed: (id, reason) => this.#onRegressed(id, reason),
      onToldRemoved: (reason) => endRemoved(this.#env, this.#config.directory, reason),
      onJoinAsk: (ask) => this.#onJoinAsk(ask),
      onRefused: (id, reason) => this.#event(JournalKind.PeerRefused, id, 0, reason),
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
      onLeaseAsk: (from, ask) => this.#running?.leases.asked(from, ask),
      onLeaseAnswer: (answer) => this.#running?.leases.answered(answer),
      onStateAsk: (from, index) => {
        if (this.#running?.repair.reason === "") this.#running.checkpointer.sendState(from, index);
      },
      onLogAsk: (from, ask) => this.#running?.logRepair.asked(from, ask),
      onLogAnswer: (_from, answer) => this.#running?.logRepair.answered(answer),
      onDigestPoint: (from, point) => this.#running?.digestDuty.told(from, point),
      stageSnapshot: (files, id) => this.#stageSnapshot(files, id),
      onSnapshotStaged: (message, sink, checkpoint) =>
        this.#onSnapshotStaged(message, sink, checkpoint),
    };
  }

  #hello(): HelloFacts {
    const status = this.#running?.raft.status() ?? null;
    const peerUrls = ownUrls(this.#config.memberId, this.#config.members, this.#membership);
    if (status === null) return { term: 0, lastIndex: 0, leader: 0, peerUrls };
    const { term, attestedIndex: lastIndex, leader } = status;
    return { term, lastIndex, leader, peerUrls };
  }

  #persistPeer(record: PeerRecord, done: () => void): void {
    const running = this.#running;
    if (running === null || this.#phase === Phase.Stopped) {
      return; // before recovery and after the stop no session is accepted
    }
    running.pump.persistPeer(record, done);
  }

  #onSession(id: number, session: number, term: number, lastIndex: number): string {
    const running = this.#mustRunning();
    this.#event(JournalKind.PeerSession, id, lastIndex, "");
    const regressed = running.raft.peerSession(id, session, term, lastIndex);
    running.pump.schedule();
    if (!regressed) return "";
    const reason = `its log ends at ${lastIndex} in term ${term}, below what it promised`;
    this.#onRegressed(id, reason);
    return reason;
  }

  #onJoinAsk(ask: Uint8Array): Uint8Array {
    const genesis = this.#running === null ? null : this.#genesis;
    const { clusterId } = this.#config;
    const peers = this.#opening.peers;
    const silentMs = 2 * this.#config.electionTimeoutMs;
    const lives = (id: number): boolean =>
      id === this.#opening.directory?.raftId ||
      (peers?.silence.of(id).silentMs ?? silentMs) < silentMs;
    const question = decodeJoinAsk(ask);
    return encodeJoinAnswer(answerJoin(question, clusterId, genesis, this.#membership, lives));
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
      this.#seen.leaderChanges += 1;
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

  #onMembershipChanged(index: number): void {
    const { memberId, members } = this.#config;
    const running = this.#mustRunning();
    const peers = this.#mustPeers();
    peers.setMembers(
      peerList({
        selfMemberId: memberId,
        selfRaftId: running.raft.core.id,
        table: this.#membership,
        introduced: this.#introduced,
        addressOf: (url) => addressIn(members, url),
      }),
    );
    const voters = [...votersOf(this.#membership.confState), ...running.votersAtStart];
    peers.setVoters([...new Set(voters)]);
    peers.setSuperseded(this.#settings.superseded);
    const urls = this.#membership.members.flatMap((member) => member.peerUrls);
    this.#announcer.set(this.#config.clusterId, this.#settings.superseded, urls);
    running.members.changed(index);
    this.#isLearner = isLearner(this.#membership, running.raft.core.id);
  }

  #onInstalled(checkpoint: CheckpointInfo): void {
    this.#phase = Phase.Scanning;
    this.#reason = "rebuilding the key index after a snapshot";
    this.#seen.snapshotsReceived += 1;
    this.#mustRunning().digestDuty.stateGone();
    this.#mustRunning().repair.installed();
    this.#event(JournalKind.SnapshotInstalled, 0, checkpoint.index, "");
    this.#env.trace.info("snapshot installed", { index: checkpoint.index });
    this.#onMembershipChanged(checkpoint.index);
  }

  /** What was applied is damaged, what was promised is not (reliability.md §3.3 row 14). */
  #onDamaged(reason: string): void {
    this.#mustNotBeAlone(reason);
    const { repair, digestDuty } = this.#mustRunning();
    digestDuty.stateGone();
    repair.lose(reason);
    this.#phase = Phase.Scanning;
    this.#reason = `the state is rebuilt from another member's: ${reason}`;
  }

  /** Who has no peers has nobody to repair from (§3.3 row 15). */
  #mustNotBeAlone(reason: string): void {
    const isAlone = this.#membership.members.length <= 1;
    if (isAlone) endDamagedAlone(this.#env, this.#config.directory, reason);
  }

  #handOver(done: () => void): void {
    const heir = this.#running?.leadership.heir() ?? null;
    if (heir === null) return done();
    this.#env.trace.info("handing over leadership", { to: heir.name });
    this.transferLeadership(heir.memberId, done);
  }

  #onScanned(): void {
    this.#mustRunning().repair.scanned();
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
    this.#seen.snapshotsSent += 1;
    this.#event(JournalKind.SnapshotSent, to, ok ? 1 : 0, "");
    const running = this.#mustRunning();
    running.raft.snapshotSent(to, ok);
    running.pump.schedule();
  }

  // ---- Stop -----------------------------------------------------------------------------------------

  stop(done: () => void): void {
    if (this.#phase >= Phase.Stopping && this.#phase !== Phase.Refused) {
      return;
    }
    this.#phase = Phase.Stopping;
    this.#reason = "stopping";
    this.#handOver(() => this.#close(done));
  }

  #close(done: () => void): void {
    this.#running?.leases.stop();
    this.#running?.pump.stop();
    this.#opening.peers?.flush();
    this.#opening.peers?.close();
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

  #missing(): readonly string[] {
    return missingOf(this.#opening.peers?.status() ?? [], this.#config.electionTimeoutMs);
  }

  isLearner(): boolean {
    return this.#isLearner;
  }

  phase(): Phase {
    return this.#phase;
  }

  status(): HostStatus {
    const running = this.#running;
    return describeStatus({
      config: this.#config,
      phase: this.#phase,
      reason: this.#reason === "" ? reasonOf(running) : this.#reason,
      session: this.#session,
      directory: this.#opening.directory,
      membership: this.#membership,
      peers: this.#opening.peers?.status() ?? [],
      missing: this.#missing(),
      raft: running?.raft.status() ?? null,
      kv: running?.kv ?? null,
      applied: running?.pump.applied ?? 0,
      usage: running?.storage.usage() ?? null,
      requestsInFlight: this.#proposals.count + (running?.pump.reads.count ?? 0),
    });
  }

  /** The parts at work, for the simulator's checkers; null until the log is recovered. */
  inside(): HostInside | null {
    return this.#running;
  }

  counters(): HostCounters {
    return countersOf(this.#running, this.#proposals, this.#seen);
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
    return must(this.#opening.peers, "peers exist once the directory is open");
  }

  #mustRunning(): Running {
    return must(this.#running, "storage is open");
  }
}
