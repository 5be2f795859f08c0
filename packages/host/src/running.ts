// What a member consists of once its log is recovered: core, state machine, pump and their helpers,
// made together and wired to each other. The life cycle around them is host.ts's.
import { assert } from "@quorate/base";
import { encodeHeaderIds, KvState, nobody } from "@quorate/kv";
import type { AlarmCommand, KvApi } from "@quorate/kv";
import { RaftNode } from "@quorate/raft";
import type { Index, NodeId } from "@quorate/raft";
import type { DataDirectory, Env, Recovered, StorageApi } from "@quorate/storage";
import { AlarmKeeper } from "./alarms/alarm-keeper.ts";
import { AlarmWatch } from "./alarms/alarm-watch.ts";
import { DiskSpace } from "./alarms/disk-space.ts";
import { Quota } from "./alarms/quota.ts";
import { QuotaForecast } from "./alarms/quota-forecast.ts";
import { StalledFollowers } from "./alarms/stalled-followers.ts";
import { Admission } from "./auth/admission.ts";
import { TokenDuty } from "./auth/token-duty.ts";
import { Checkpointer } from "./checkpointer.ts";
import type { CheckpointerParts } from "./checkpointer.ts";
import { DamageDuty } from "./damage/damage-duty.ts";
import { endDiskFails } from "./endings.ts";
import { DigestDuty } from "./digests/digest-duty.ts";
import type { DigestDutyParts } from "./digests/digest-duty.ts";
import { Digests } from "./digests/digests.ts";
import type { AuthApi, HostConfig, ReplySink } from "./host-api.ts";
import { Leadership } from "./leadership.ts";
import { Leases } from "./lease/leases.ts";
import { Load } from "./load/load.ts";
import { Guest } from "./members/guest.ts";
import { Members } from "./members/members.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import type { GenesisRecord, PeersApi } from "./peers/peers-api.ts";
import type { Proposals } from "./proposals.ts";
import { Publisher } from "./publisher.ts";
import { Pump } from "./pump.ts";
import type { PumpEvents } from "./pump.ts";
import { LogRepair } from "./repair/log-repair.ts";
import type { LogRepairParts } from "./repair/log-repair.ts";
import { StateRepair } from "./repair/state-repair.ts";
import type { StateRepairParts } from "./repair/state-repair.ts";
import { WatchStreams } from "./watch/watch-streams.ts";
import { votersOnDisk } from "./voters-on-disk.ts";
import { electionTicks, initialState, knownHardState, raftConfig } from "./raft-settings.ts";
import { Requests } from "./requests.ts";
import type { SettingsTable } from "./settings.ts";
import type { Stalls } from "./stalls.ts";

/** From one question for a state to the next, when transfers come to nothing (reliability.md §3.7). */
const stateAskMsMax = 300_000;
/** Beside --max-request-bytes in a piece of a watch response, as in etcd. */
const fragmentOverheadBytes = 524_288;

/** What checkers look into. Looking must not change anything. */
export interface HostInside {
  readonly raft: RaftNode;
  readonly kv: KvApi;
  readonly storage: StorageApi;
  readonly pump: Pick<Pump, "applied" | "scanned" | "installing" | "applyPending">;
  readonly leases: Pick<Leases, "lessor">;
}

export interface Running extends HostInside {
  /** As the disk had them, applied or not: who ends its quiet start (P5). */
  readonly votersAtStart: readonly NodeId[];
  readonly raft: RaftNode;
  readonly kv: KvState;
  readonly storage: StorageApi;
  readonly pump: Pump;
  readonly checkpointer: Checkpointer;
  readonly digests: Digests;
  readonly digestDuty: DigestDuty;
  readonly leadership: Leadership;
  readonly members: Members;
  readonly guest: Guest;
  readonly requests: Requests;
  readonly load: Load;
  readonly leases: Leases;
  readonly publisher: Publisher;
  readonly watches: WatchStreams;
  readonly alarmWatch: AlarmWatch;
  readonly admission: Admission;
  readonly tokenDuty: TokenDuty;
  readonly repair: StateRepair;
  readonly logRepair: LogRepair;
  readonly damage: DamageDuty;
}

export interface DutyEvents {
  /** This member asks for it. */
  onAlarm(command: AlarmCommand, sink: ReplySink): void;
  /** It wants that member to lead; `done` when that has ended, either way. */
  onHandOver(memberId: string, done: () => void): void;
  /** To the journal. */
  readonly onDigestDiffers: DigestDutyParts["onDiffers"];
}

export interface RunningParts {
  readonly env: Env;
  readonly config: HostConfig;
  readonly session: number;
  readonly directory: DataDirectory;
  readonly peers: PeersApi;
  readonly membership: MembershipTable;
  readonly settings: SettingsTable;
  readonly proposals: Proposals;
  readonly stalls: Stalls;
  readonly auth: Pick<AuthApi, "change"> & { barrier(sink: ReplySink): void };
  readonly genesis: GenesisRecord;
  readonly storage: StorageApi;
  readonly recovered: Recovered;
  readonly events: PumpEvents &
    Pick<CheckpointerParts, "onWritten" | "onSent"> &
    Pick<StateRepairParts, "handOver"> &
    Pick<LogRepairParts, "onHole"> &
    DutyEvents;
}

export function makeRunning(parts: RunningParts): Running {
  const { env, config, session, peers, membership, proposals, storage, recovered, events } = parts;
  const { checkpoint, lost } = recovered;
  const kv = makeState(parts);
  const applied = checkpoint?.index ?? lost?.index ?? 0;
  const votersAtStart = votersOnDisk(membership.confState, recovered.entries, applied);
  const raft = new RaftNode(
    raftConfig(env, config, parts.directory, session, votersAtStart),
    initialState(recovered, membership.confState, parts.settings),
  );
  const timeoutTicks = electionTicks(config);
  const members = makeMembers(parts, raft, timeoutTicks, applied);
  const load = makeLoad(parts, raft, () => pump.applyPending);
  const pump: Pump = new Pump({
    env,
    raft,
    kv,
    storage,
    peers,
    membership,
    members,
    settings: parts.settings,
    proposals,
    stalls: parts.stalls,
    load,
    retryTicks: Math.max(1, Math.floor(timeoutTicks / 2)),
    readsMax: config.requestsMax,
    applied,
    appliedTerm: checkpoint?.term ?? lost?.term ?? 0,
    lost: lost !== null,
    hardState: knownHardState(recovered),
    events,
  });
  const checkpointer = makeCheckpointer(parts, raft, kv);
  const watches = makeWatches(parts, kv, raft, timeoutTicks, () => pump.schedule());
  pump.attach(checkpointer, watches);
  const digests = new Digests(kv, parts.directory.raftId, Math.ceil(5000 / config.tickMs));
  const leadership = new Leadership(raft, membership, peers, timeoutTicks);
  const keeper = new AlarmKeeper(kv, (command, sink) => events.onAlarm(command, sink));
  const quota = new Quota(config.quotaBytes, storage);
  const requests = new Requests({ env, config, kv, pump, proposals, quota, load });
  const digestDuty = compareDigests(parts, { raft, kv, pump, digests, keeper });
  const repair = makeRepair(parts, raft, pump, digestDuty, timeoutTicks);
  const tokenDuty = keepTokens(parts, kv, raft);
  return {
    votersAtStart,
    raft,
    kv,
    storage,
    pump,
    checkpointer,
    digests,
    digestDuty,
    leadership,
    members,
    guest: makeGuest(parts, timeoutTicks),
    requests,
    load,
    watches,
    leases: new Leases({ env, config, raft, kv, storage, pump, peers, requests, quota, events }),
    publisher: new Publisher(config, membership, requests),
    repair,
    logRepair: makeLogRepair(parts, raft, pump, timeoutTicks),
    admission: new Admission(kv, tokenDuty, (sink) => parts.auth.barrier(sink)),
    tokenDuty,
    alarmWatch: watchAlarms(parts, keeper, kv, raft, quota),
    damage: watchDamage(parts, keeper, kv, raft, leadership),
  };
}

function makeCheckpointer(parts: RunningParts, raft: RaftNode, kv: KvState): Checkpointer {
  const { env, config, session, storage, peers, membership, recovered, events } = parts;
  const { onWritten, onSent } = events;
  return new Checkpointer(
    { env, config, session, raft, kv, storage, peers, membership, onWritten, onSent },
    recovered.checkpoint,
  );
}

function makeLoad(
  { env, config, proposals }: RunningParts,
  raft: RaftNode,
  applyPending: () => number,
): Load {
  return new Load({ config, clock: env.clock, proposals, raft, applyPending });
}

function makeWatches(
  { env, config, events }: RunningParts,
  kv: KvState,
  raft: RaftNode,
  electionTimeoutTicks: number,
  schedule: () => void,
): WatchStreams {
  const ids = encodeHeaderIds(BigInt(`0x${config.clusterId}`), BigInt(`0x${config.memberId}`));
  return new WatchStreams({
    hub: kv.watches,
    auth: kv.auth,
    limits: {
      watchersPerStreamMax: config.watchersPerStreamMax,
      watchersPerConnectionMax: config.watchersPerConnectionMax,
      watchersMax: config.watchersMax,
      streamBufferBytes: config.watchStreamBufferBytes,
      bufferBytes: config.watchBufferBytes,
      progressMs: config.watchProgressMs,
      fragmentBytes: config.requestBytesMax + fragmentOverheadBytes,
    },
    random: env.random.fork("watch"),
    tickMs: config.tickMs,
    electionTimeoutTicks,
    header: () => ({ ids, term: raft.term() }),
    schedule,
    hasLeader: () => raft.leader() !== 0,
    missing: () => events.missing(),
  });
}

function watchDamage(
  parts: RunningParts,
  keeper: AlarmKeeper,
  kv: KvState,
  raft: RaftNode,
  leadership: Leadership,
): DamageDuty {
  const { env, storage, events, config } = parts;
  return new DamageDuty({
    env,
    storage,
    raft,
    leadership,
    keeper,
    kv,
    memberId: config.memberId,
    handOver: (memberId, done) => events.onHandOver(memberId, done),
    loseState: (reason) => events.onDamaged(reason),
  });
}

function compareDigests(
  { config, membership, peers, env, events }: RunningParts,
  parts: Pick<DigestDutyParts, "digests" | "raft" | "kv" | "keeper"> & { readonly pump: Pump },
): DigestDuty {
  const { pump, ...others } = parts;
  return new DigestDuty({
    ...others,
    membership,
    peers,
    trace: env.trace,
    memberId: config.memberId,
    tickMs: config.tickMs,
    isWhole: () => pump.scanned,
    applied: () => pump.applied,
    onDiffers: (other, index, text) => events.onDigestDiffers(other, index, text),
    loseState: (reason) => events.onDamaged(reason),
  });
}

function watchAlarms(
  parts: RunningParts,
  keeper: AlarmKeeper,
  kv: KvState,
  raft: RaftNode,
  quota: Quota,
): AlarmWatch {
  const { env, config, membership, peers } = parts;
  return new AlarmWatch({
    keeper,
    space: new DiskSpace(env.disk, config),
    quota,
    forecast: new QuotaForecast(config.quotaBytes),
    trace: env.trace,
    stalled: new StalledFollowers({ keeper, raft, membership, tickMs: config.tickMs }),
    kv,
    raft,
    membership,
    peers,
    memberId: config.memberId,
    tickMs: config.tickMs,
    awayMs: config.memberHealthMs,
  });
}

function keepTokens({ env, config, auth }: RunningParts, kv: KvState, raft: RaftNode): TokenDuty {
  return new TokenDuty({
    kv,
    clock: env.clock,
    tickMs: config.tickMs,
    isLeader: () => raft.isLeader(),
    propose: (command, sink) => auth.change(command, nobody, sink),
  });
}

function makeMembers(
  { env, config, directory, peers, membership }: RunningParts,
  raft: RaftNode,
  timeoutTicks: number,
  applied: Index,
): Members {
  return new Members(
    {
      raft,
      table: membership,
      peers,
      trace: env.trace,
      selfId: directory.raftId,
      healthMs: config.memberHealthMs,
      learnersMax: config.learnersMax,
      timeoutTicks,
      electionTimeoutMs: config.electionTimeoutMs,
      waitTicksMax: Math.ceil(config.requestTimeoutMs / config.tickMs),
    },
    applied,
  );
}

function makeRepair(
  { env, config, directory, peers, events, recovered }: RunningParts,
  raft: RaftNode,
  pump: Pump,
  digestDuty: DigestDuty,
  askTicks: number,
): StateRepair {
  return new StateRepair(
    {
      raft,
      peers,
      trace: env.trace,
      askTicks,
      askTicksMax: ticksIn(stateAskMsMax, config),
      applied: () => pump.applied,
      isReceiving: () => pump.installing || peers.isReceiving(),
      mayGive: (leader) => digestDuty.mayGiveState(leader),
      fence: () => pump.loseState(),
      giveUp: (failures) =>
        directory.markDiskFails(() => endDiskFails(env, config.directory, failures)),
      handOver: (done) => events.handOver(done),
    },
    recovered.lost?.reason ?? "",
  );
}

function makeLogRepair(
  { env, config, peers, events, recovered }: RunningParts,
  raft: RaftNode,
  pump: Pump,
  timeoutTicks: number,
): LogRepair {
  return new LogRepair(
    {
      raft,
      talk: peers.logTalk,
      trace: env.trace,
      silentTicks: timeoutTicks,
      askTicksMin: ticksIn(100, config),
      askTicksMax: ticksIn(10_000, config),
      onHole: events.onHole,
      onMended: () => pump.schedule(),
    },
    recovered,
  );
}

function ticksIn(ms: number, { tickMs }: HostConfig): number {
  return Math.max(1, Math.ceil(ms / tickMs));
}

function makeGuest(parts: RunningParts, timeoutTicks: number): Guest {
  const { config, membership, peers, directory } = parts;
  return new Guest({
    table: membership,
    peers,
    memberId: config.memberId,
    selfId: directory.raftId,
    timeoutTicks,
    electionTimeoutMs: config.electionTimeoutMs,
  });
}

/**
 * The tables as the checkpoint has them, also where its rows are damaged; without one, as the genesis
 * has them: the first configuration stands before the log's first entry, also for a member that joined
 * later. Whose tables are damaged leads nobody and counts for nobody's majority before it has others.
 */
function makeState(parts: RunningParts): KvState {
  const { config, membership, settings, storage, recovered } = parts;
  const kv = new KvState({
    rows: storage.rows,
    clusterId: BigInt(`0x${config.clusterId}`),
    memberId: BigInt(`0x${config.memberId}`),
    txnOpsMax: config.txnOpsMax,
    rangeBytesMax: config.rangeBytesMax,
  });
  kv.register(membership);
  kv.register(settings);
  const checkpoint = recovered.checkpoint ?? recovered.lost?.checkpoint ?? null;
  if (checkpoint === null) {
    membership.found(parts.genesis);
  } else {
    const ok = kv.beginRebuild(checkpoint.tables);
    assert(ok, "the tables of a verified checkpoint can be read");
  }
  return kv;
}
