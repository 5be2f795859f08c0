// The replicated downgrade: what is refused, when one is over, and that checkpoints and digests carry it.
// Method: commands through apply, as a host.
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { KvError } from "../kv-error.ts";
import { OperationKind } from "../operation.ts";
import { withOtherTables } from "../other-tables.ts";
import { TableRecord } from "../table.ts";
import { Member } from "../test/member.ts";
import { MemoryRows } from "../testing/memory-rows.ts";
import { decodeDowngradeCommand, encodeDowngradeCommand } from "./downgrade-command.ts";

function apply(member: Member, target: string, clusterVersion: string = "3.5.0"): KvError {
  const bytes = encodeDowngradeCommand({ target, clusterVersion });
  equal(member.kv.check(OperationKind.Downgrade, bytes), KvError.None);
  return member.apply(OperationKind.Downgrade, bytes).error;
}

test("one at a time, until it is cancelled or has come to its end", () => {
  const member = new Member(new MemoryRows());
  equal(apply(member, ""), KvError.NoDowngrade);
  equal(apply(member, "3.4.0"), KvError.None);
  equal(apply(member, "3.4.0"), KvError.DowngradeInFlight);
  equal(member.kv.downgradeTarget, "3.4.0");
  equal(apply(member, ""), KvError.None);
  equal(apply(member, ""), KvError.NoDowngrade);
  equal(member.kv.downgradeTarget, "");

  equal(apply(member, "3.5.0", "3.6.0"), KvError.None);
  equal(apply(member, "", "3.5.0"), KvError.NoDowngrade, "the cluster is there");
  equal(apply(member, "3.4.0", "3.5.0"), KvError.None);
});

test("a checkpoint and the live digest carry it; a state without one is as before", () => {
  const member = new Member(new MemoryRows());
  apply(member, "3.4.0");
  apply(member, "");
  const without = member.kv.liveDigest();
  apply(member, "3.4.0");
  notDeepEqual(member.kv.liveDigest(), without);
  const records = member.kv.tables();

  const other = new Member(new MemoryRows());
  ok(other.kv.beginRebuild(records));
  equal(other.kv.downgradeTarget, "3.4.0");
  deepEqual(other.kv.liveDigest(), member.kv.liveDigest());

  const recovered = new Member(new MemoryRows());
  ok(recovered.kv.beginRebuild(withOtherTables(records, [])!));
  equal(recovered.kv.downgradeTarget, "3.4.0");

  const broken = records.map((record) =>
    record.name === "downgrade" ? new TableRecord(record.name, Uint8Array.of(1, 65)) : record,
  );
  equal(new Member(new MemoryRows()).kv.beginRebuild(broken), false);
});

test("bytes that are no command are none", () => {
  const bytes = encodeDowngradeCommand({ target: "3.4.0", clusterVersion: "3.5.0" });
  for (let length = 0; length < bytes.length; length += 1) {
    equal(decodeDowngradeCommand(bytes.subarray(0, length)), null);
  }
  equal(decodeDowngradeCommand(Uint8Array.of(...bytes, 0)), null);
  for (const target of ["3.4", "3.4.1", "v3.4.0", "3.4.0 "]) {
    const command = { target, clusterVersion: "3.5.0" };
    equal(decodeDowngradeCommand(encodeDowngradeCommand(command)), null, target);
  }
});
