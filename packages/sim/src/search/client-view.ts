// A history as its clients know it, and nothing else: what they called, what they heard, and what they
// heard nothing of. What was refused for certain never took effect, so it is left out: a trace of it
// in an answer is a trace of nothing.
//
// A value that one put alone can have written tells, wherever it is seen, at which revision that put
// took effect, even when its own client heard nothing. It never tells when: its return stays open
// (a return time is not shortened by what was seen later: etcd #19998).
import { latin1Decode as textOf, must } from "@quorate/base";
import { rangeRequest } from "@quorate/host";
import {
  CompactionRequest,
  decodeCompactionResponse,
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
  OperationKind,
  OpType,
} from "@quorate/kv";
import { demand } from "../checkers/violation.ts";
import { type ClientOperation, type History, type LeaseEnd, Outcome } from "../client/history.ts";
import { leaseNumber } from "../model/lease-number.ts";
import { type Branch, branchesOf, heardBranch, leaseEndType } from "./branches.ts";
import { property } from "./property.ts";
import { SeenCells } from "./seen-cells.ts";

/** It was answered. */
export interface Heard {
  readonly operation: ClientOperation;
  /** Of the header. */
  readonly revision: number;
  /** What it ran; null: a compaction, which no key shows. */
  readonly branch: Branch | null;
  /** It changed the state: the revision is its own. */
  readonly changes: boolean;
}

/** Nobody heard of it: it may have run any of these, at any time, or none. */
export interface Unheard {
  readonly operation: ClientOperation | LeaseEnd;
  readonly branches: readonly Branch[];
  /** At which an answer shows that it took effect; 0: none shows it. */
  readonly revision: number;
}

export interface ClientView {
  readonly heard: readonly Heard[];
  readonly unheard: readonly Unheard[];
  readonly seen: SeenCells;
}

export function clientView(history: History): ClientView {
  const heard = history.operations
    .filter(({ outcome }) => outcome === Outcome.Ok)
    .map((operation) => heardOf(operation));
  const seen = new SeenCells();
  for (const { branch, revision, changes } of heard) {
    for (const step of branch?.steps ?? []) seen.heard(step, revision, changes);
  }
  const possible = history.operations
    .filter(({ outcome }) => outcome === Outcome.Unknown || outcome === Outcome.Pending)
    .flatMap((operation) => possibleOf(operation) ?? []);
  const shown = shownRevisions(heard, possible, seen);
  const unheard = possible.map((one) => ({ ...one, ...whatIsShown(one, shown) }));
  const ends = endsOf(history.leaseEnds, [
    ...heard.flatMap(({ branch }) => branch ?? []),
    ...possible.flatMap(({ branches }) => branches),
  ]);
  return { heard, unheard: [...unheard, ...ends], seen };
}

/** `branches`: all that may have put a key with a lease. */
function endsOf(ends: readonly LeaseEnd[], branches: readonly Branch[]): Unheard[] {
  const keys = new Map<number, Set<string>>();
  for (const { request } of branches.flatMap(({ steps }) => steps)) {
    if (request.type !== OpType.Put) continue;
    const lease = leaseNumber(request.leaseHigh, request.leaseLow);
    if (lease !== 0) keys.set(lease, (keys.get(lease) ?? new Set()).add(textOf(request.key)));
  }
  return ends.flatMap((operation) => {
    const { lease } = operation;
    const own = keys.get(lease);
    if (own === undefined) return [];
    const request = { type: leaseEndType, lease, keys: [...own] } as const;
    return {
      operation,
      branches: [{ guards: [], steps: [{ request, reply: null }] }],
      revision: 0,
    };
  });
}

function heardOf(operation: ClientOperation): Heard {
  const { request, kind, reply: bytes } = operation;
  if (request instanceof CompactionRequest) {
    const { header } = must(decodeCompactionResponse(bytes!), "a reply to Compact");
    return { operation, revision: header.revision, branch: null, changes: false };
  }
  const reply = must(decoders[kind as keyof typeof decoders](bytes!), "a reply");
  const branch = heardBranch(request, reply);
  const changes = branch.steps.some(
    ({ reply: own }) =>
      own?.type === OpType.Put || (own?.type === OpType.DeleteRange && own.deleted > 0),
  );
  return { operation, revision: reply.header.revision, branch, changes };
}

const decoders = {
  [rangeRequest]: decodeRangeResponse,
  [OperationKind.Put]: decodePutResponse,
  [OperationKind.DeleteRange]: decodeDeleteRangeResponse,
  [OperationKind.Txn]: decodeTxnResponse,
} as const;

interface Possible {
  readonly operation: ClientOperation;
  /** All ways that write. */
  readonly branches: readonly Branch[];
}

/** Null: whatever it did, it changed nothing. */
function possibleOf(operation: ClientOperation): Possible | null {
  const { request } = operation;
  if (request instanceof CompactionRequest) return null;
  const branches = branchesOf(request).filter(({ steps }) => steps.length > 0);
  return branches.length === 0 ? null : { operation, branches };
}

function whatIsShown(
  { operation, branches: writing }: Possible,
  shown: ReadonlyMap<string, number>,
): Omit<Unheard, "operation"> {
  const revisionOf = (branch: Branch): number =>
    Math.max(0, ...writesOf(branch).map((write) => shown.get(write) ?? 0));
  const revisions = new Set(writing.map(revisionOf).filter((revision) => revision > 0));
  demand(
    revisions.size < 2,
    property,
    () => `operation ${operation.id} is seen at revisions ${[...revisions].join(" and ")}`,
  );
  const [revision = 0] = revisions;
  // Seen, it ran one of the branches that write what was seen.
  const branches = writing.filter((branch) => revision === 0 || revisionOf(branch) > 0);
  return { branches, revision };
}

/** Key and value of what a branch puts. */
function writesOf({ steps }: Branch): string[] {
  return steps.flatMap(({ request }) =>
    request.type === OpType.Put ? [writeText(textOf(request.key), textOf(request.value))] : [],
  );
}

function writeText(key: string, value: string): string {
  return `${key}\0${value}`;
}

/** Writes that one operation alone can have done → the revision that answers show them at. */
function shownRevisions(
  heard: readonly Heard[],
  possible: readonly Possible[],
  seen: SeenCells,
): Map<string, number> {
  const writers = new Map<string, number>();
  const writes = [
    ...heard.map(({ branch }) => (branch === null ? [] : writesOf(branch))),
    ...possible.map(({ branches }) => branches.flatMap(writesOf)),
  ];
  for (const write of writes.flatMap((own) => [...new Set(own)])) {
    writers.set(write, (writers.get(write) ?? 0) + 1);
  }
  const shown = new Map<string, number>();
  for (const { key, value, mod } of seen.values()) {
    const write = writeText(key, value);
    if (writers.get(write) !== 1) continue;
    const other = shown.get(write);
    demand(
      other === undefined,
      property,
      () => `${key}: one put is seen at revisions ${other} and ${mod}: it took effect twice`,
    );
    shown.set(write, mod);
  }
  return shown;
}
