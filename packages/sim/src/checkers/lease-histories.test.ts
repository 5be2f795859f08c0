// Leases in the two judgements of a history of keys. The replay by the twin: random puts, deletes, grants
// and revokes, each answer of the state machine the twin's. The search without the log: what the end of
// a lease explains, and what it does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import {
  Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  encodeLeaseCheckpoint,
  encodeLeaseGrant,
  encodeLeaseRevoke,
  leaseIdOf,
  OperationKind,
  PutRequest,
  RangeRequest,
  RevokeCause,
  TxnRequest,
} from "@quorate/kv";
import { HistoryMaker, limits } from "../../test/history-maker.ts";
import type { ClientRequest } from "../client/history.ts";
import { World } from "../world.ts";
import { checkAcknowledgedWrites } from "./acknowledged-writes.ts";
import { checkBlackBox } from "./black-box.ts";
import { Evidence } from "./evidence.ts";
import { checkLinearizability } from "./linearizability.ts";
import { likelyRevisions } from "./likely-revisions.ts";
import { Violation } from "./violation.ts";

const id = (n: number): ReturnType<typeof leaseIdOf> => leaseIdOf(0, n);

function putOf(key: string, value: string, lease: number, ignoreLease = false): PutRequest {
  const bytes = { key: latin1Encode(key), value: latin1Encode(value) };
  return new PutRequest({ ...bytes, leaseLow: lease, ignoreLease });
}

const all = new RangeRequest({ key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") });

function grant(maker: HistoryMaker, n: number): void {
  maker.history.leaseMayEnd(n, maker.history.moment());
  maker.commit(OperationKind.LeaseGrant, encodeLeaseGrant({ id: id(n), ttlSeconds: 5 }));
}

function end(maker: HistoryMaker, n: number): void {
  const record = encodeLeaseRevoke({ cause: RevokeCause.Client, id: id(n) });
  maker.commit(OperationKind.LeaseRevoke, record);
}

test("random histories with leases: the twin, and the search, find an explanation", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = new World(seed).random("test");
    const maker = new HistoryMaker();
    for (let step = 0; step < 120; step++) {
      const n = random.between(1, 3);
      const key = random.pick(["a", "b", "c"]);
      const value = `v${step}`;
      const compare = new Compare({
        key: latin1Encode(key),
        target: CompareTarget.Lease,
        result: random.pick([CompareResult.Equal, CompareResult.Less]),
        operand: CompareOperand.Lease,
        leaseLow: n,
      });
      const read = new RangeRequest({ key: latin1Encode(key) });
      const requests: readonly ClientRequest[] = [
        putOf(key, value, n),
        putOf(key, value, 0),
        putOf(key, value, 0, true),
        new DeleteRangeRequest({ key: latin1Encode(key), prevKv: true }),
        new TxnRequest({ compare: [compare], success: [putOf(key, value, n)], failure: [read] }),
        all,
      ];
      const draw = random.below(10);
      if (draw === 0) grant(maker, n);
      else if (draw === 1) end(maker, n);
      else if (draw === 2) checkpoint(maker, n);
      else maker.does(random.pick(requests));
    }
    const evidence = new Evidence(maker.history, maker.log.entries(), limits);
    checkAcknowledgedWrites(evidence);
    checkLinearizability(evidence);
    assert.equal(evidence.replay.model.revision, maker.kv.revision);
    checkBlackBox(maker.history, likelyRevisions(evidence));
  }
});

function checkpoint(maker: HistoryMaker, n: number): void {
  const remainders = [{ id: id(n), grantIndex: 1, remainingTtlSeconds: 1 }];
  maker.commit(OperationKind.LeaseCheckpoint, encodeLeaseCheckpoint({ term: 1, remainders }));
}

function rejects(maker: HistoryMaker): void {
  assert.throws(() => checkBlackBox(maker.history), Violation);
}

test("the search: keys go with a lease that was granted, together, once, and only those that carry it", () => {
  const begin = (): HistoryMaker => {
    const maker = new HistoryMaker();
    grant(maker, 1);
    maker.does(putOf("a", "1", 1));
    maker.does(putOf("b", "1", 1));
    maker.does(putOf("c", "1", 0));
    return maker;
  };
  const fine = begin();
  end(fine, 1);
  fine.does(all);
  fine.does(putOf("d", "1", 0));
  checkBlackBox(fine.history);

  // Nobody may have deleted these, and no such lease was granted.
  for (const [keys, lease] of [
    [["c"], 1],
    [["a"], 1],
    [["a", "b"], 2],
  ] as const) {
    const maker = new HistoryMaker();
    const granted = maker.history.leaseMayEnd(lease, maker.history.moment());
    maker.commit(OperationKind.LeaseGrant, encodeLeaseGrant({ id: id(1), ttlSeconds: 5 }));
    for (const key of ["a", "b"]) maker.does(putOf(key, "1", 1));
    maker.does(putOf("c", "1", 0));
    const lost = keys.map((key) => new DeleteRangeRequest({ key: latin1Encode(key) }));
    const txn = maker.call(new TxnRequest({ success: lost }));
    maker.apply(txn);
    maker.history.operations.splice(maker.history.operations.indexOf(txn), 1);
    maker.does(all);
    assert.equal(granted.isVoid, false);
    rejects(maker);
  }

  const twice = begin();
  end(twice, 1);
  twice.does(all);
  twice.commit(OperationKind.LeaseGrant, encodeLeaseGrant({ id: id(1), ttlSeconds: 5 }));
  twice.does(putOf("a", "2", 1));
  end(twice, 1);
  twice.does(all);
  rejects(twice);
});
