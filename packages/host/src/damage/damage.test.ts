// From a finding to its answer: a pass is finished first, a leader hands over, one that cannot goes on;
// three refused ranges within a day are a failing disk. Method: findings told by hand, time as well.
import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import { Alarm, AlarmCause, AlarmType } from "@quorate/kv";
import type { AlarmCommand } from "@quorate/kv";
import type { Env, ScrubFinding } from "@quorate/storage";
import { AlarmKeeper } from "../alarms/alarm-keeper.ts";
import { MemberRecord } from "../members/member-record.ts";
import { DamageDuty } from "./damage-duty.ts";
import { ReadErrors } from "./read-errors.ts";

const self = "00000000000000a1";
const hourMs = 3_600_000;

const finding = (path: string, unreadable: boolean = false): ScrubFinding => ({
  part: path.includes("rows") ? "rows" : "wal",
  path,
  offset: 64,
  what: "CRC",
  unreadable,
});

test("three distinct ranges within a day are a failing disk", () => {
  const errors = new ReadErrors();
  errors.add("/a", 0, 0);
  errors.add("/a", 4095, hourMs);
  errors.add("/a", 4096, 2 * hourMs);
  equal(errors.text(2 * hourMs), "", "two ranges");
  errors.add("/b", 0, 3 * hourMs);
  match(errors.text(3 * hourMs), /^3 ranges of its files/);
  equal(errors.text(25.5 * hourMs), "", "the first is older than a day");
  for (let n = 0; n < 1000; n++) errors.add("/c", 4096 * n, 26 * hourMs);
  match(errors.text(26 * hourMs), /^64 ranges/, "bounded");
});

class Bench {
  nowMs = 0;
  scrubbing = false;
  leads = false;
  heir: MemberRecord | null = null;
  readonly table: { alarms: readonly Alarm[] } = { alarms: [] };
  readonly commands: AlarmCommand[] = [];
  readonly lost: string[] = [];
  readonly handedTo: string[] = [];
  /** Of the handing over under way. */
  handedOver: () => void = () => undefined;
  readonly duty: DamageDuty;
  tell: (finding: ScrubFinding) => void = () => undefined;

  constructor() {
    const silent = (): void => undefined;
    const env = {
      clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
      trace: { debug: silent, info: silent, warn: silent, error: silent, mark: silent },
      fatal: (code: number, reason: string): never => {
        throw new Error(`${code} ${reason}`);
      },
    } as unknown as Env;
    const storage = {
      onScrubFinding: (found: (one: ScrubFinding) => void) => {
        this.tell = found;
      },
      isScrubbing: () => this.scrubbing,
      get scrubbing(): boolean {
        return this.isScrubbing();
      },
    };
    this.duty = new DamageDuty({
      env,
      storage,
      raft: { isLeader: () => this.leads },
      leadership: { heir: () => this.heir },
      keeper: new AlarmKeeper(this.table, (command) => this.commands.push(command)),
      kv: this.table,
      memberId: self,
      loseState: (reason) => this.lost.push(reason),
      handOver: (memberId, done) => {
        this.handedTo.push(memberId);
        this.handedOver = done;
      },
    });
  }

  tickAt(ms: number): void {
    this.nowMs = ms;
    this.duty.tick();
  }
}

test("a follower ends with 72 and the place, when the pass is over", () => {
  const bench = new Bench();
  bench.tickAt(10);
  bench.scrubbing = true;
  bench.tell(finding("/data/wal-1"));
  bench.tell(finding("/data/wal-2"));
  bench.tickAt(1000);
  bench.scrubbing = false;
  throws(() => bench.tickAt(1010), /^Error: 72 \/data\/wal-1: offset 64: CRC; a durable part of/);
});

test("a pass that takes long is not waited for", () => {
  const bench = new Bench();
  bench.scrubbing = true;
  bench.tell(finding("/data/wal-1"));
  bench.tickAt(29_990);
  throws(() => bench.tickAt(30_000), /^Error: 72/);
});

test("a leader hands over, again when that failed, and ends when it leads no more", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.heir = new MemberRecord("00000000000000a2", 2, "m2", [], []);
  bench.tell(finding("/data/wal-1"));
  bench.tickAt(10);
  bench.tickAt(20);
  deepEqual(bench.handedTo, ["00000000000000a2"]);
  bench.handedOver();
  bench.tickAt(30);
  equal(bench.handedTo.length, 2);
  bench.leads = false;
  bench.handedOver();
  throws(() => bench.tickAt(40), /^Error: 72/);
});

test("a leader without an heir goes on, until the damage is found again", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.tell(finding("/data/wal-1"));
  bench.tickAt(10);
  bench.leads = false;
  bench.tickAt(20);
  bench.tell(finding("/data/wal-1"));
  throws(() => bench.tickAt(30), /^Error: 72/);
});

test("a failing disk is made known before its member ends", () => {
  const bench = new Bench();
  for (const path of ["/a", "/b", "/c"]) bench.tell(finding(path, true));
  bench.tickAt(10);
  deepEqual(
    bench.commands.map(({ type, cause, memberId }) => [type, cause, memberId]),
    [[AlarmType.DiskFailing, AlarmCause.ReadErrors, self]],
  );
  bench.tickAt(500);
  const { DiskFailing } = AlarmType;
  bench.table.alarms = [new Alarm(self, DiskFailing, AlarmCause.ReadErrors, "", 1)];
  throws(() => bench.tickAt(510), /^Error: 72 \/a/);
  const unheard = new Bench();
  for (const path of ["/a", "/b", "/c"]) unheard.tell(finding(path, true));
  unheard.tickAt(59_990);
  throws(() => unheard.tickAt(60_000), /^Error: 72/, "nobody waits for ever");
});

test("damaged rows are lost state; a leader that nobody could take over from keeps them", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.tell(finding("/data/rows-1"));
  bench.tickAt(10);
  deepEqual(bench.lost, []);
  bench.heir = new MemberRecord("00000000000000a2", 2, "m2", [], []);
  bench.tell(finding("/data/rows-1"));
  bench.tickAt(20);
  bench.tickAt(30);
  deepEqual(bench.lost, ["/data/rows-1: offset 64: CRC; found by rereading"]);
  deepEqual(bench.handedTo, [], "whoever rebuilds the state hands over");
});
