// Listens for damage that members find, by its marks and by how processes end, and to what they say
// afterwards.
import { type Message, MessageType } from "@quorate/raft";
import { ExitCode } from "@quorate/storage";
import { DamageStops } from "../checkers/damage-stops.ts";
import type { SimCluster } from "../cluster.ts";
import { demand } from "../checkers/violation.ts";
import {
  asideMark,
  isFinding,
  isRejoining,
  noMajorityMark,
  oddDigestMark,
  regressedMark,
  stateLostMark,
  stateRebuiltMark,
} from "../damage/damage-marks.ts";
import { raftMessagesIn } from "../peer-frames.ts";
import type { SimProcess } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";

const promises: ReadonlySet<MessageType> = new Set([
  MessageType.Vote,
  MessageType.VoteResponse,
  MessageType.PreVoteResponse,
  MessageType.AppendResponse,
]);

export class DamageWatch {
  readonly stops: DamageStops;
  /** Members that were told so: their directories say it, and a start from them is refused. */
  readonly regressed: Set<string>;
  /** Processes that have found that they do not know what they have promised. */
  readonly #rejoining: Set<string>;

  /** It is durable that this member's directory is set aside. */
  onSetAside: (member: SimMember) => void;
  /** This member has found its state damaged, which it mends: silently, but for this. */
  onStateLost: (member: SimMember) => void;
  /** And has another one. */
  onStateRebuilt: (member: SimMember) => void;
  /** This member has judged digests that differ. */
  onDigestsDiffer: (member: SimMember, mark: string) => void;

  constructor(cluster: SimCluster) {
    this.stops = new DamageStops();
    this.regressed = new Set();
    this.#rejoining = new Set();
    this.onSetAside = () => {};
    this.onStateLost = () => {};
    this.onStateRebuilt = () => {};
    this.onDigestsDiffer = () => {};
    cluster.onMark = (member, { name }, mark) => {
      if (mark === regressedMark) this.regressed.add(member.name);
      if (isRejoining(mark)) this.#rejoining.add(name);
      if (mark === asideMark) this.onSetAside(member);
      if (mark === stateLostMark) {
        this.stops.lost(name, mark);
        this.onStateLost(member);
      } else if (mark === stateRebuiltMark) {
        this.stops.rebuilt(name);
        this.onStateRebuilt(member);
      } else if (mark === oddDigestMark || mark === noMajorityMark) {
        this.onDigestsDiffer(member, mark);
      } else if (isFinding(mark)) this.stops.foundInMember(member.name, mark);
    };
  }

  sent(incarnation: string, bytes: Uint8Array): void {
    if (this.stops.idle) return;
    for (const message of raftMessagesIn(bytes, promises)) {
      if (message.reject) continue;
      this.stops.promised(memberOf(incarnation), incarnation, describe(message));
    }
  }

  replied(incarnation: string): void {
    if (this.stops.idle) return;
    this.stops.answered(memberOf(incarnation), incarnation, "answers a client");
  }

  /** Refused before Raft ran: the directory or its log, not the rows. */
  ended(member: SimMember, incarnation: SimProcess): void {
    const { exitCode, reason, name } = incarnation;
    const tooOften = reason.includes("is not set aside again");
    demand(
      exitCode !== ExitCode.Damaged || !this.#rejoining.has(name) || tooOften,
      "comes back by itself",
      () => `${name} stopped where it ought to rejoin: ${reason}`,
    );
    const stopped = exitCode === ExitCode.Damaged || exitCode === ExitCode.Foreign;
    if (stopped && (member.host?.inside() ?? null) === null) {
      this.stops.foundInMember(member.name, reason);
    }
  }
}

function memberOf(incarnation: string): string {
  return incarnation.split("#")[0]!;
}

function describe({ type, term, index }: Message): string {
  const names = Object.keys(MessageType);
  return `sends ${names[Object.values(MessageType).indexOf(type)]} of term ${term}, index ${index},`;
}
