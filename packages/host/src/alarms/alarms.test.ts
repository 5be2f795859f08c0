// What a member watches for alarms, and what it makes of it: room on its disk with its reserve, the
// quota at the door, alarms of members that are gone or away. Method: one look at a time, by hand.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import {
  Alarm,
  AlarmAction,
  AlarmCause,
  AlarmType,
  DeleteRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeTxnRequest,
  OperationKind,
  PutRequest,
  TxnRequest,
} from "@quorate/kv";
import type { AlarmCommand } from "@quorate/kv";
import { storageDefaults } from "@quorate/storage";
import { hostDefaults } from "../host-api.ts";
import type { HostConfig, ReplySink } from "../host-api.ts";
import { MemberRecord } from "../members/member-record.ts";
import type { PeerStatus } from "../peers/peers-api.ts";
import { AlarmKeeper } from "./alarm-keeper.ts";
import { AlarmWatch } from "./alarm-watch.ts";
import { DiskSpace, Space } from "./disk-space.ts";
import { Quota } from "./quota.ts";
import { QuotaForecast } from "./quota-forecast.ts";

const self = "00000000000000a1";
const other = "00000000000000a2";
const { NoSpace, Corrupt, ReplicationStalled } = AlarmType;

const config: HostConfig = {
  ...hostDefaults,
  memberId: self,
  clusterId: self,
  token: "t",
  members: [],
  clientUrls: [],
  directory: "/data",
  storage: { ...storageDefaults, walSegmentBytes: 1000, unsavedRowBytesMax: 500 },
};

test("the room on the disk: below the reserve, within a quarter above it, and enough", () => {
  let free: number | null = 0;
  const space = new DiskSpace({ freeBytesNow: () => free }, config);
  // A segment of the log, the rows of a checkpoint, and as much for its tables.
  const rows: [number | null, Space][] = [
    [0, Space.Lacking],
    [1999, Space.Lacking],
    [2000, Space.Unsure],
    [2499, Space.Unsure],
    [2500, Space.Enough],
    [null, Space.Unsure],
  ];
  for (const [bytes, expected] of rows) {
    free = bytes;
    equal(space.look().space, expected, `${bytes} bytes`);
  }
  free = 7;
  match(space.look().text, /^7 bytes are free at \/data, 2000 are kept in reserve$/);
});

test("a log of its own directory is looked after as well", () => {
  const free: Record<string, number> = { "/data": 10_000, "/wal": 999 };
  const disk = { freeBytesNow: (path: string) => free[path] ?? null };
  const space = new DiskSpace(disk, { ...config, walDirectory: "/wal" });
  match(space.look().text, /^999 bytes are free at \/wal, 1000 are/);
  free["/wal"] = 1999;
  free["/data"] = 1999;
  match(space.look().text, /^1999 bytes are free at \/data, 2000 are/, "one file system for both");
  free["/data"] = 2000;
  equal(space.look().space, Space.Enough);
  free["/wal"] = 1250;
  equal(space.look().space, Space.Enough);
  free["/data"] = 1100;
  equal(space.look().space, Space.Unsure);
});

const put = (bytes: number): Uint8Array =>
  encodePutRequest(new PutRequest({ key: Uint8Array.of(1), value: new Uint8Array(bytes) }));

test("the quota: what puts is refused above it, until an eighth of it is free", () => {
  let rowBytesLive = 0;
  const usage = { ...noUsage, rowBytesLive: 0 };
  const quota = new Quota(1000, { usage: () => ({ ...usage, rowBytesLive }) });
  equal(quota.look(), "");
  equal(quota.refuses(OperationKind.Put, put(500)), false);
  equal(quota.refuses(OperationKind.Put, put(500)), true, "what was let in since counts");
  equal(quota.wantsLook, true);
  rowBytesLive = 600;
  match(quota.look() ?? "", /are above the quota of 1000$/);
  equal(quota.wantsLook, false);
  rowBytesLive = 1000;
  equal(quota.look(), null, "neither above nor far enough below");
  const value = new PutRequest({ key: Uint8Array.of(1) });
  const txn = encodeTxnRequest(new TxnRequest({ failure: [value] }));
  const del = encodeDeleteRangeRequest(new DeleteRangeRequest({ key: Uint8Array.of(1) }));
  equal(quota.refuses(OperationKind.Txn, txn), true);
  equal(quota.refuses(OperationKind.DeleteRange, del), false);
  rowBytesLive = 876;
  quota.look();
  equal(quota.look(), null);
  rowBytesLive = 875;
  equal(quota.look(), "");
  equal(new Quota(Infinity, { usage: () => usage }).refuses(OperationKind.Put, put(1e6)), false);
});

test("three quarters of the quota are told once, with the time that is left at this rate", () => {
  const minute = 60_000;
  const forecast = new QuotaForecast(1000);
  equal(forecast.look(500, 0), null);
  equal(forecast.look(620, 5 * minute), null);
  const word = "75 % of the quota of 1000 bytes are taken; full in 10 minutes at this rate";
  equal(forecast.look(750, 10 * minute), word);
  equal(forecast.look(800, 11 * minute), null, "once");
  equal(forecast.look(710, 12 * minute), null);
  equal(forecast.look(760, 13 * minute), null, "there was no room in between");
  equal(forecast.look(699, 14 * minute), null);
  equal(
    forecast.look(900, 20 * minute),
    "90 % of the quota of 1000 bytes are taken; full in 5 minutes at this rate",
  );
  equal(new QuotaForecast(1000).look(800, 0), "80 % of the quota of 1000 bytes are taken");
  equal(new QuotaForecast(Infinity).look(2 ** 40, 0), null);
  const slow = new QuotaForecast(10_000);
  equal(slow.look(7499, 0), null);
  equal(slow.look(7501, minute)!.endsWith("; full in 21 hours at this rate"), true);
});

const noUsage = {
  walBytes: 0,
  rowBytes: 0,
  rowSegments: 0,
  walSegments: 0,
  syncs: 0,
  bytesWritten: 0,
  scrubbedBytes: 0,
};

/** A member that may lead, with a table of alarms and a word for every command it sends. */
class Bench {
  /** As the replicated table has them. */
  readonly table: { alarms: readonly Alarm[] } = { alarms: [] };
  readonly sent: string[] = [];
  readonly sinks: ReplySink[] = [];
  free = 1e9;
  leads = false;
  silentMs = 0;
  lookedAtFollowers = 0;
  members = [self, other];
  readonly watch: AlarmWatch;

  constructor() {
    const kv = this.table;
    const quota = new Quota(Infinity, { usage: () => ({ ...noUsage, rowBytesLive: 0 }) });
    this.watch = new AlarmWatch({
      keeper: new AlarmKeeper(kv, (command, sink) => this.#take(command, sink)),
      space: new DiskSpace({ freeBytesNow: () => this.free }, config),
      quota,
      forecast: new QuotaForecast(Infinity),
      trace: { warn: () => undefined },
      stalled: { look: () => (this.lookedAtFollowers += 1) },
      kv,
      raft: { isLeader: () => this.leads },
      membership: {
        byMemberId: (id) =>
          this.members.includes(id) ? new MemberRecord(id, 1, "m", [], []) : null,
      },
      peers: { status: () => [peer(this.silentMs)] },
      memberId: self,
      tickMs: 10,
      awayMs: 5000,
    });
  }

  #take({ action, memberId, type, cause }: AlarmCommand, sink: ReplySink): void {
    const verb = action === AlarmAction.Activate ? "+" : "-";
    this.sent.push(`${verb}${type} ${memberId.slice(-2)} ${cause}`);
    this.sinks.push(sink);
  }

  /** Commands since the last call; each is answered. */
  take(): string[] {
    for (const sink of this.sinks.splice(0)) sink.reply(new Uint8Array(0));
    return this.sent.splice(0);
  }
}

function peer(silentMs: number): PeerStatus {
  return {
    memberId: other,
    raftId: 2,
    name: "m2",
    connected: silentMs === 0,
    connectedMs: 0,
    session: 1,
    bootCount: 1,
    silentMs,
    reason: "",
    roundTripMs: 0,
    queuedBytes: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
}

test("a member asks for NOSPACE once at a time, again when that was lost, and takes it back", () => {
  const bench = new Bench();
  bench.watch.tick(0);
  deepEqual(bench.take(), []);
  bench.free = 0;
  bench.watch.tick(50);
  deepEqual(bench.sent, [], "a second between two looks");
  bench.watch.tick(100);
  bench.watch.tick(200);
  deepEqual(bench.sent, ["+1 a1 2"], "while it is on its way nothing is sent again");
  bench.take();
  bench.watch.tick(300);
  deepEqual(bench.take(), ["+1 a1 2"]);
  bench.table.alarms = [new Alarm(self, NoSpace, AlarmCause.DiskSpace, "", 1)];
  bench.watch.tick(400);
  deepEqual(bench.take(), []);
  bench.free = 1e9;
  bench.watch.tick(500);
  deepEqual(bench.take(), ["-1 a1 2"]);
  bench.table.alarms = [new Alarm(self, NoSpace, AlarmCause.Operator, "", 1)];
  bench.watch.tick(600);
  deepEqual(bench.take(), [], "an operator's stays");
});

test("the leader ends what is about members that are gone, or away where that is enough", () => {
  const bench = new Bench();
  const { DiskSpace: room, Digests, Replication, Operator } = AlarmCause;
  bench.table.alarms = [
    new Alarm(other, NoSpace, room, "", 1),
    new Alarm(other, Corrupt, Digests, "", 1),
    new Alarm(other, ReplicationStalled, Replication, "", 1),
  ];
  bench.silentMs = 6000;
  bench.watch.tick(1000);
  deepEqual(bench.take(), [], "who does not lead looks after itself");
  equal(bench.lookedAtFollowers, 0);
  bench.leads = true;
  bench.watch.tick(1100);
  bench.watch.tick(1500);
  deepEqual(bench.take(), [], "a new leader listens first");
  equal(bench.lookedAtFollowers, 2);
  bench.watch.tick(1700);
  deepEqual(bench.take(), ["-1 a2 2"]);
  bench.silentMs = 100;
  bench.watch.tick(1800);
  deepEqual(bench.take(), []);
  bench.members = [self];
  bench.watch.tick(1900);
  deepEqual(bench.take(), ["-1 a2 2", "-2 a2 4", "-102 a2 6"]);
  bench.table.alarms = [new Alarm(other, NoSpace, Operator, "", 1)];
  bench.watch.tick(2000);
  deepEqual(bench.take(), []);
});
