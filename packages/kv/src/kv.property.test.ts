// The state machine against its naive twin: random histories of requests, with compaction in random
// slices, row segments rewritten and the member restarted from its checkpoint in between. Every
// reply, every readable revision, every row reported dead and every digest is compared.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Encode } from "@quorate/base";
import { KvError } from "./kv-error.ts";
import type { KvReply } from "./kv-api.ts";
import { KvModel, modelKindOf } from "./kv.model.ts";
import type { ModelReply, ModelResponse } from "./kv.model.ts";
import { OperationKind } from "./operation.ts";
import { Member, term, txnOpsMax } from "./test/member.ts";
import { rangeKind, Request, anyRequest } from "./test/requests.ts";
import { MemoryRows, scannedOf } from "./testing/memory-rows.ts";
import {
  decodeCompactionResponse,
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
} from "./wire/decode-response.ts";
import { leaseIdText } from "./lease/lease-id.ts";
import { decodeLeaseResponse } from "./lease/lease-responses.ts";
import { CompactionRequest, RangeRequest } from "./wire/request.ts";

type Step =
  | { readonly do: "request"; readonly request: Request }
  | { readonly do: "compactStep"; readonly versionsMax: number }
  | { readonly do: "reclaim"; readonly segment: number }
  | { readonly do: "compact"; readonly back: number }
  | { readonly do: "restart" }
  | { readonly do: "hash"; readonly back: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 40,
    arbitrary: anyRequest.map((asked) => ({ do: "request" as const, request: asked })),
  },
  {
    weight: 6,
    arbitrary: fc.nat(9).map((n) => ({ do: "compactStep" as const, versionsMax: n })),
  },
  { weight: 3, arbitrary: fc.nat(4).map((back) => ({ do: "compact" as const, back })) },
  { weight: 8, arbitrary: fc.nat(12).map((segment) => ({ do: "reclaim" as const, segment })) },
  { weight: 2, arbitrary: fc.constant({ do: "restart" as const }) },
  { weight: 1, arbitrary: fc.nat(10).map((back) => ({ do: "hash" as const, back })) },
);

const decoders = {
  [rangeKind]: decodeRangeResponse,
  [OperationKind.Put]: decodePutResponse,
  [OperationKind.DeleteRange]: decodeDeleteRangeResponse,
  [OperationKind.Txn]: decodeTxnResponse,
  [OperationKind.Compact]: decodeCompactionResponse,
  [OperationKind.LeaseGrant]: decodeLease,
  [OperationKind.LeaseRevoke]: decodeLease,
} satisfies Record<number, (bytes: Uint8Array) => ModelResponse | null>;

function decodeLease(bytes: Uint8Array): ModelResponse | null {
  const response = decodeLeaseResponse(bytes);
  if (response === null || response.header === null) return null;
  const { header, id, ttlSeconds } = response;
  return { header, lease: leaseIdText(id), ttlSeconds };
}

/** The reply as the twin would give it: its headers know neither ids nor terms. */
function asModel(asked: Request, reply: KvReply): ModelReply {
  if (reply.error !== KvError.None) return { error: reply.error };
  const response = decoders[asked.kind](reply.bytes!);
  ok(response !== null, `undecodable response to ${String(asked)}`);
  equal(response.header.clusterId, 0xdeadbeefn);
  equal(response.header.memberId, 1n << 63n);
  equal(response.header.raftTerm, term);
  const { revision } = response.header;
  return { ...response, header: { clusterId: 0n, memberId: 0n, revision, raftTerm: 0 } };
}

// The member under test compacts and restarts; its follower applies the same log and does neither,
// nor does it write replies. Both must stay the same state.
class History {
  readonly model: KvModel;
  readonly follower: Member;
  member: Member;
  rows: MemoryRows;

  constructor() {
    this.model = new KvModel(txnOpsMax);
    this.follower = new Member(new MemoryRows());
    this.rows = new MemoryRows(3);
    this.member = new Member(this.rows);
  }

  run(taken: Step): void {
    switch (taken.do) {
      case "request":
        this.#request(taken.request);
        break;
      case "compact": {
        const revision = this.model.revision - taken.back;
        this.#request(new Request(OperationKind.Compact, new CompactionRequest({ revision })));
        break;
      }
      case "compactStep":
        this.member.kv.compactStep(taken.versionsMax);
        break;
      case "reclaim":
        this.rows.reclaim(taken.segment);
        break;
      case "restart":
        this.restart();
        break;
      case "hash":
        this.#hash(taken.back);
        break;
    }
    this.#compareStates();
  }

  restart(): void {
    const tables = this.member.kv.tables();
    this.rows = this.rows.reopened();
    const restarted = new Member(this.rows);
    ok(restarted.kv.beginRebuild(tables));
    for (const [row, ref] of this.rows.stored()) restarted.kv.rebuildRow(scannedOf(row), ref);
    ok(restarted.kv.finishRebuild(), "the scan does not confirm the checkpoint");
    restarted.index = this.member.index;
    restarted.wallMs = this.member.wallMs;
    deepEqual(restarted.kv.tables(), tables);
    this.member = restarted;
  }

  #request(asked: Request): void {
    const expected = this.model.handle(asked.content);
    deepEqual(asModel(asked, this.member.handle(asked)), expected, `reply to ${String(asked)}`);
    if (modelKindOf(asked.content) !== null) {
      const silent = this.follower.handle(asked, false);
      equal(silent.error, "error" in expected ? expected.error : KvError.None);
    }
  }

  #hash(back: number): void {
    const revision = Math.max(0, this.member.kv.revision - back);
    const hash = (member: Member): unknown => {
      const task = member.kv.hashKv(revision);
      if (typeof task === "number") return task;
      while (!task.step(2));
      return [task.hash, task.compactRevision, task.hashRevision];
    };
    deepEqual(hash(this.member), hash(this.follower));
  }

  #compareStates(): void {
    const { kv } = this.member;
    const live = this.model.liveAt(this.model.revision);
    equal(kv.revision, this.model.revision);
    equal(kv.compactRevision, this.model.compactRevision);
    equal(kv.keys, live.length);
    equal(
      kv.liveBytes,
      live.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
    );
    const leases = new Set<string>();
    for (const lease of kv.leases.all()) {
      leases.add(leaseIdText(lease.id));
      const its = live.filter((l) => l.leaseHigh === lease.high && l.leaseLow === lease.low);
      deepEqual(
        kv.leaseKeys(lease),
        its.map(({ key }) => key),
      );
    }
    deepEqual(leases, this.model.leases);
    deepEqual(kv.liveDigest(), this.follower.kv.liveDigest());
    deepEqual(kv.applyDigest(), this.follower.kv.applyDigest());
    deepEqual(kv.tables(), this.follower.kv.tables());
  }

  /**
   * Everything readable; and after the rest of the compaction exactly the needed rows alive. Of
   * tombstones no longer needed only those may be dead that had nothing stored in front of them
   * to delete when the member last started.
   */
  finish(): void {
    this.#compareReadable();
    while (!this.member.kv.compactStep(3));
    this.#compareReadable();
    const stored = new Map([...this.rows.stored()].map(([row, ref]) => [ref, row]));
    for (let at = 0; at < this.model.rows.length; at++) {
      const needed = this.#isNeeded(at);
      if (needed) ok(stored.has(at), `row ${at} is gone and needed`);
      if (!stored.has(at)) continue;
      if (needed || this.model.rows[at]!.kv !== null) {
        equal(this.rows.deadRefs.has(at), !needed, `row ${at} dead`);
      }
    }
  }

  /** Restarts and reclaims until nothing changes: then no row is left that nobody needs. */
  settle(): void {
    for (let round = 0; round < 4; round++) {
      for (let segment = 0; segment <= this.model.rows.length / 3; segment++) {
        this.rows.reclaim(segment);
      }
      this.restart();
    }
    this.finish();
    for (const [, ref] of this.rows.stored()) ok(this.#isNeeded(ref), `row ${ref} left`);
  }

  /** By a read, or by a watcher that begins with the compaction revision itself. */
  #isNeeded(at: number): boolean {
    const { kv, main } = this.model.rows[at]!;
    return this.model.isReachable(at) || (kv === null && main === this.model.compactRevision);
  }

  #compareReadable(): void {
    const { revision, compactRevision } = this.model;
    const all = { key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") };
    for (let at = Math.max(1, compactRevision - 2); at <= revision; at++) {
      for (const countOnly of [false, true]) {
        this.#request(
          new Request(rangeKind, new RangeRequest({ ...all, revision: at, countOnly })),
        );
      }
    }
  }
}

test("every reply, revision, dead row and digest is the naive twin's, whatever the slicing", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: "max" }), (steps) => {
      const history = new History();
      for (const taken of steps) history.run(taken);
      history.finish();
      history.restart();
      history.finish();
      history.settle();
    }),
    { numRuns: 300 },
  );
});

test("a long history with a checkpoint at every step comes back the same from each", () => {
  const steps = fc.sample(step, { seed: 7, numRuns: 800 });
  const history = new History();
  for (const taken of steps) {
    history.run(taken);
    history.restart();
  }
  history.finish();
  history.settle();
  ok(history.model.revision > 100);
  ok(history.model.compactRevision > 5);
});
