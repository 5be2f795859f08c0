// From a finding of the scrub to its answer: a pass that has found something is finished first, for what
// else there is; a leader hands over before its process ends, so that nobody waits for an election; and
// one that has nobody to hand over to goes on, says so, and finds it again in the next pass
// (reliability.md §3.5).
import { AlarmCause, AlarmType } from "@quorate/kv";
import type { KvApi } from "@quorate/kv";
import type { RaftApi } from "@quorate/raft";
import type { Env, ScrubFinding, StorageApi } from "@quorate/storage";
import type { AlarmKeeper } from "../alarms/alarm-keeper.ts";
import type { Leadership } from "../leadership.ts";
import { onDamageFound } from "./found.ts";
import { ReadErrors } from "./read-errors.ts";

/** A pass is waited for so long at most, and then an alarm on its way as long again. */
const patienceMs = 30_000;

export interface DamageDutyParts {
  readonly env: Env;
  readonly storage: Pick<StorageApi, "onScrubFinding" | "scrubbing">;
  readonly raft: Pick<RaftApi, "isLeader">;
  readonly leadership: Pick<Leadership, "heir">;
  readonly keeper: AlarmKeeper;
  readonly kv: Pick<KvApi, "alarms">;
  readonly memberId: string;
  /** Asks to hand over; `done` when that has ended, either way. */
  readonly handOver: (memberId: string, done: () => void) => void;
  /** The state is to come from another member; whoever leads hands over for it. */
  readonly loseState: (reason: string) => void;
}

export class DamageDuty {
  readonly #parts: DamageDutyParts;
  readonly #readErrors: ReadErrors;
  /** The first that is not answered yet. */
  #finding: ScrubFinding | null;
  #sinceMs: number;
  #handingOver: boolean;

  constructor(parts: DamageDutyParts) {
    this.#parts = parts;
    this.#readErrors = new ReadErrors();
    this.#finding = null;
    this.#sinceMs = 0;
    this.#handingOver = false;
    parts.storage.onScrubFinding((finding) => this.#found(finding));
  }

  #found(finding: ScrubFinding): void {
    const { clock, trace } = this.#parts.env;
    const { path, offset, what } = finding;
    const nowMs = clock.monotonicMs();
    trace.error("damage found by rereading", { path, offset, what });
    if (finding.unreadable) this.#readErrors.add(path, offset, nowMs);
    if (this.#finding !== null) return;
    this.#finding = finding;
    this.#sinceMs = nowMs;
  }

  tick(): void {
    const finding = this.#finding;
    if (finding === null || this.#handingOver) return;
    const nowMs = this.#parts.env.clock.monotonicMs();
    const failing = this.#readErrors.text(nowMs);
    const { keeper, memberId, storage } = this.#parts;
    if (failing !== "") keeper.raise(AlarmCause.ReadErrors, memberId, failing);
    const waitedMs = nowMs - this.#sinceMs;
    if (storage.scrubbing && waitedMs < patienceMs) return;
    const unheard = failing !== "" && !this.#isKnownToFail();
    if (unheard && waitedMs < 2 * patienceMs) return;
    this.#answer(finding);
  }

  #answer(finding: ScrubFinding): void {
    const { env, raft, leadership, handOver, loseState } = this.#parts;
    const heir = leadership.heir();
    if (!raft.isLeader() || (heir !== null && finding.part === "rows")) {
      this.#finding = null;
      return onDamageFound(env, finding, loseState);
    }
    if (heir === null) {
      env.trace.error("damage is not answered: this member leads, and nobody could take over", {
        path: finding.path,
      });
      this.#finding = null;
      return;
    }
    this.#handingOver = true;
    env.trace.warn("handing over leadership before damage is answered", { to: heir.name });
    handOver(heir.memberId, () => {
      this.#handingOver = false;
    });
  }

  #isKnownToFail(): boolean {
    const { kv, memberId } = this.#parts;
    const { DiskFailing } = AlarmType;
    return kv.alarms.some((one) => one.type === DiskFailing && one.memberId === memberId);
  }
}
