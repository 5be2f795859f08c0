// What this member watches for alarms, once a second while it serves: the room on its disk, its quota,
// and, as the leader, followers that get no further, and alarms of members that are gone or away: who is
// not there fills no disk, and raises its alarm anew when it comes back. Otherwise a member that died
// with a full disk would keep all writes refused.
import { AlarmCause, alarmCauses } from "@quorate/kv";
import type { KvApi } from "@quorate/kv";
import type { RaftApi } from "@quorate/raft";
import type { Trace } from "@quorate/storage";
import type { MembershipTable } from "../members/membership-table.ts";
import type { PeersApi } from "../peers/peers-api.ts";
import type { AlarmKeeper } from "./alarm-keeper.ts";
import { Space } from "./disk-space.ts";
import type { DiskSpace } from "./disk-space.ts";
import type { Quota } from "./quota.ts";
import type { QuotaForecast } from "./quota-forecast.ts";
import type { StalledFollowers } from "./stalled-followers.ts";

export interface AlarmWatchParts {
  readonly keeper: AlarmKeeper;
  readonly space: DiskSpace;
  readonly quota: Quota;
  readonly forecast: QuotaForecast;
  readonly trace: Pick<Trace, "warn">;
  readonly stalled: Pick<StalledFollowers, "look">;
  readonly kv: Pick<KvApi, "alarms">;
  readonly raft: Pick<RaftApi, "isLeader">;
  readonly membership: Pick<MembershipTable, "byMemberId">;
  readonly peers: Pick<PeersApi, "status">;
  readonly memberId: string;
  readonly tickMs: number;
  /** A member that was silent for so long is away. */
  readonly awayMs: number;
}

const lookEveryMs = 1000;

export class AlarmWatch {
  readonly #parts: AlarmWatchParts;
  #nextLookTick: number;
  /** When this member began to lead; -1: it does not. */
  #leadsSinceTick: number;
  #nowTick: number;

  constructor(parts: AlarmWatchParts) {
    this.#parts = parts;
    this.#nextLookTick = 0;
    this.#leadsSinceTick = -1;
    this.#nowTick = 0;
  }

  /** While this member serves and knows a leader. */
  tick(nowTick: number): void {
    const { quota, raft, stalled, tickMs } = this.#parts;
    this.#nowTick = nowTick;
    if (!raft.isLeader()) this.#leadsSinceTick = -1;
    else if (this.#leadsSinceTick < 0) this.#leadsSinceTick = nowTick;
    if (nowTick < this.#nextLookTick && !quota.wantsLook) return;
    this.#nextLookTick = nowTick + Math.ceil(lookEveryMs / tickMs);
    this.#lookAtSpace();
    this.#lookAtQuota();
    if (!raft.isLeader()) return;
    this.#lookAtOthers();
    stalled.look();
  }

  #lookAtSpace(): void {
    const { keeper, space, memberId } = this.#parts;
    const { space: seen, text } = space.look();
    if (seen === Space.Lacking) keeper.raise(AlarmCause.DiskSpace, memberId, text);
    else if (seen === Space.Enough) keeper.end(AlarmCause.DiskSpace, memberId);
  }

  #lookAtQuota(): void {
    const { keeper, quota, forecast, trace, tickMs, memberId } = this.#parts;
    const exceeded = quota.look();
    const word = forecast.look(quota.liveBytes, this.#nowTick * tickMs);
    if (word !== null) trace.warn(word);
    if (exceeded === "") keeper.end(AlarmCause.Quota, memberId);
    else if (exceeded !== null) keeper.raise(AlarmCause.Quota, memberId, exceeded);
  }

  /** What an operator raised is the operator's. */
  #lookAtOthers(): void {
    const { keeper, kv, membership, memberId } = this.#parts;
    for (const alarm of kv.alarms) {
      if (alarm.cause === AlarmCause.Operator || alarm.memberId === memberId) continue;
      const gone = membership.byMemberId(alarm.memberId) === null;
      const { endsWhenAway } = alarmCauses[alarm.cause];
      if (gone || (endsWhenAway && this.#isAway(alarm.memberId))) {
        keeper.end(alarm.cause, alarm.memberId);
      }
    }
  }

  /** Not before this leader has listened for that long. */
  #isAway(memberId: string): boolean {
    const { peers, awayMs, tickMs } = this.#parts;
    if ((this.#nowTick - this.#leadsSinceTick) * tickMs <= awayMs) return false;
    const peer = peers.status().find((p) => p.memberId === memberId);
    return peer === undefined || peer.silentMs < 0 || peer.silentMs > awayMs;
  }
}
