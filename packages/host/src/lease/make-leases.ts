// The parts of a member that keep leases and ask about them, wired to the rest of it.
import type { KvState, OperationKind } from "@quorate/kv";
import { Proposal, ProposeOutcome } from "@quorate/raft";
import type { RaftNode } from "@quorate/raft";
import type { Env, StorageApi } from "@quorate/storage";
import type { Quota } from "../alarms/quota.ts";
import type { HostConfig } from "../host-api.ts";
import type { PeersApi } from "../peers/peers-api.ts";
import type { Pump, PumpEvents } from "../pump.ts";
import { electionTicks } from "../raft-settings.ts";
import type { Requests } from "../requests.ts";
import { LeaseRouting } from "./lease-routing.ts";
import { Lessor } from "./lessor.ts";

export interface LeaseWiring {
  readonly env: Env;
  readonly config: HostConfig;
  readonly raft: RaftNode;
  readonly kv: KvState;
  readonly storage: StorageApi;
  readonly pump: Pump;
  readonly peers: PeersApi;
  readonly requests: Requests;
  readonly quota: Quota;
  readonly events: Pick<PumpEvents, "missing">;
}

export function makeLessor(wiring: LeaseWiring, nowTick: () => number): Lessor {
  const { env, config, raft, kv, requests } = wiring;
  const lessor = new Lessor({
    clock: env.clock,
    trace: env.trace,
    raft,
    leases: kv.leases,
    remainderIntervalMs: config.leaseCheckpointIntervalMs,
    revokesPerSecondMax: config.leaseRevokesPerSecondMax,
    readBarrier: (done) => {
      const sink = { reply: () => done(true), fail: () => done(false) };
      requests.barrier(sink, nowTick());
    },
    propose: (kind, record) => propose(wiring, kind, record),
  });
  kv.leases.observer = lessor;
  return lessor;
}

export function makeRouting(wiring: LeaseWiring, lessor: Lessor): LeaseRouting {
  const { env, config, raft, peers } = wiring;
  return new LeaseRouting({
    clock: env.clock,
    raft,
    talk: peers.leaseTalk,
    lessor,
    timeoutTicks: Math.ceil(config.requestTimeoutMs / config.tickMs),
    retryTicks: electionTicks(config),
    questionsMax: config.requestsMax,
    missing: () => wiring.events.missing(),
    schedule: (turn) => env.schedule(turn),
  });
}

/** Only into the own log and in the own term: what others append is not its business (T3). */
function propose(
  { raft, kv, storage, pump }: LeaseWiring,
  kind: OperationKind,
  record: Uint8Array,
): boolean {
  if (!raft.isLeader() || storage.rowsFull()) return false;
  const outcome = raft.propose([new Proposal(kind, kv.envelope("", 0, record))]);
  pump.schedule();
  return outcome === ProposeOutcome.Accepted;
}

/** etcd's: an election, however unlucky, must not be longer. */
export function leaseTtlSecondsMin(config: Pick<HostConfig, "electionTimeoutMs">): number {
  return Math.ceil((1.5 * config.electionTimeoutMs) / 1000);
}
