// How random raft ids become a first configuration that all listed members agree on (P1), before any
// Raft message. One state machine over the durable state of the directory: None → Held → Started, or
// Wiped for a member that a started genesis names under another raft id: it rejoins under its new one
// (P3). Who joins later is Joined from the beginning (joining/). A started genesis is passed
// on for ever, so this lives as long as the process. It never decides about membership afterwards.
//
// Synced before: the raft id before the first frame (the directory); held before `Confirm`; started
// before onStarted and before `Started` is said; wiped before it is passed on.
import { assert, assertNever, must } from "@quorate/base";
import type { NodeId, Session } from "@quorate/raft";
import { ExitCode, GenesisState, mayRunRaft } from "@quorate/storage";
import type { DataDirectory, Env, Random } from "@quorate/storage";
import type { GenesisSpeaker, GenesisTalk, GenesisWire } from "../peers/genesis-talk.ts";
import type { GenesisRecord } from "../peers/peers-api.ts";
import { Founding } from "./founding.ts";
import { decodeGenesisFrame, encodeGenesisFrame, GenesisKind } from "./genesis-frames.ts";
import type { GenesisFrame } from "./genesis-frames.ts";
import { decodeGenesisRecord, encodeGenesisRecord } from "./genesis-record.ts";
import { compareNames, listDifference, listText } from "./member-list.ts";
import type { Listed } from "./member-list.ts";

export interface GenesisConfig {
  readonly memberId: string;
  /** --initial-cluster, this member among them. */
  readonly members: readonly Listed[];
  readonly raftId: NodeId;
  readonly session: Session;
}

export interface GenesisCallbacks {
  /** The genesis has started, durably: Raft may run. Once in a process; within `start` or later. */
  onStarted(record: GenesisRecord): void;
  /** This member's disk was lost (P3), durably known; onStarted follows: it is a guest until it is named. */
  onWiped(record: GenesisRecord, reason: string): void;
  /** Whenever it changes: names of those waited for, and one line that says why. */
  onWaiting(missing: readonly string[], reason: string): void;
}

/** Frames may be lost: what is not answered is said again. */
const sayAgainMs = 250;
const passOnAgainMs = 1000;

export class Genesis implements GenesisTalk {
  readonly #env: Env;
  readonly #random: Random;
  readonly #config: GenesisConfig;
  readonly #directory: DataDirectory;
  readonly #callbacks: GenesisCallbacks;
  /** Sorted by name. */
  readonly #listed: readonly Listed[];
  readonly #listText: string;
  readonly #others: readonly Listed[];
  readonly #founding: Founding;
  #wire: GenesisWire | null;
  /** Durable. */
  #state: GenesisState;
  /** The started genesis, for Started and Wiped. */
  #started: GenesisRecord | null;
  #writing: boolean;
  /** Heard and not yet made durable; processed one at a time. */
  #heard: GenesisRecord | null;
  #offered: { readonly record: GenesisRecord; readonly from: GenesisSpeaker } | null;
  /** In what others' lists differ, by member id. */
  readonly #differences: Map<string, string>;
  #saidMs: number;
  #waiting: string;

  constructor(
    env: Env,
    config: GenesisConfig,
    directory: DataDirectory,
    callbacks: GenesisCallbacks,
  ) {
    this.#env = env;
    this.#random = env.random.fork("genesis");
    this.#config = config;
    this.#directory = directory;
    this.#callbacks = callbacks;
    this.#listed = [...config.members].sort(compareNames);
    this.#listText = listText(config.members);
    this.#others = this.#listed.filter((member) => member.memberId !== config.memberId);
    assert(this.#others.length === this.#listed.length - 1, "this member is listed once");
    this.#founding = new Founding(config.memberId, this.#others);
    this.#wire = null;
    this.#state = directory.genesisState;
    this.#started = null;
    this.#writing = false;
    this.#heard = null;
    this.#offered = null;
    this.#differences = new Map();
    this.#saidMs = Number.NEGATIVE_INFINITY;
    this.#waiting = "";
  }

  /** Where this member stands, durably. */
  get state(): GenesisState {
    return this.#state;
  }

  attach(wire: GenesisWire): void {
    this.#wire = wire;
  }

  start(): void {
    if (mayRunRaft(this.#state)) {
      const record = decodeGenesisRecord(this.#directory.genesis);
      if (record === null) {
        return this.#env.fatal(ExitCode.Damaged, "the genesis in the data directory is unreadable");
      }
      this.#started = record;
      this.#tell(record);
    }
    this.#advance();
  }

  tick(_ticks: number): void {
    const nowMs = this.#env.clock.monotonicMs();
    const again = this.#started === null ? sayAgainMs : passOnAgainMs;
    if (nowMs - this.#saidMs >= again) this.#sayAll(nowMs);
    this.#advance();
    if (this.#started === null) this.#tellWaiting();
  }

  listed(): string {
    return this.#listText;
  }

  difference(listed: string): string {
    return listDifference(this.#listText, listed);
  }

  // ---- What others say -----------------------------------------------------------------------------

  onSpeaker(speaker: GenesisSpeaker): void {
    if (!this.#others.some((member) => member.memberId === speaker.memberId)) return;
    if (this.#started !== null) this.#passOn(speaker);
    else this.#sayTo(speaker.memberId);
  }

  onFrame(from: GenesisSpeaker, body: Uint8Array): void {
    const frame = decodeGenesisFrame(body);
    if (frame === null) {
      this.#env.trace.warn("genesis frame is malformed", { member: from.memberId });
      return;
    }
    // What an old process left on the way counts as lost: the present one has asked since.
    if (!this.#isPresent(from)) return;
    if (frame.kind === GenesisKind.Started) this.#onStarted(frame.record);
    else if (this.#started !== null) this.#passOn(from);
    else this.#onTalk(from, frame);
    this.#advance();
  }

  #onTalk(from: GenesisSpeaker, frame: GenesisFrame): void {
    switch (frame.kind) {
      case GenesisKind.Ask:
        this.#compareList(from.memberId, frame.listed);
        return this.#answer(from.memberId);
      case GenesisKind.Answer:
        if (!this.#isFirst() || !this.#compareList(from.memberId, frame.listed)) return;
        return this.#founding.answered(from.memberId, frame.raftId);
      case GenesisKind.Offer:
        return this.#onOffer(from, frame.record);
      case GenesisKind.Confirm:
        return this.#founding.confirmed(from.memberId, frame.genesisId);
      case GenesisKind.Started:
        return;
      default:
        return assertNever(frame, "genesis frame");
    }
  }

  /** True when both were told to found the cluster with the same members. */
  #compareList(memberId: string, listed: string): boolean {
    const difference = this.difference(listed);
    if (difference === "") this.#differences.delete(memberId);
    else this.#differences.set(memberId, difference);
    return difference === "";
  }

  #onOffer(from: GenesisSpeaker, record: GenesisRecord): void {
    const fromFirst = from.memberId === this.#listed[0]!.memberId;
    if (!this.#compareList(from.memberId, listText(record.members)) || !fromFirst) return;
    if (this.#nameIn(record) === this.#config.raftId) this.#offered = { record, from };
    else this.#answer(from.memberId);
  }

  #onStarted(record: GenesisRecord): void {
    if (this.#started?.genesisId !== record.genesisId) this.#heard = record;
  }

  /** An old process's frames may arrive behind those of the present one. */
  #isPresent(from: GenesisSpeaker): boolean {
    return this.#mustWire().speakerOf(from.memberId)?.session === from.session;
  }

  // ---- One durable step at a time ------------------------------------------------------------------

  #advance(): void {
    if (this.#writing) return;
    if (this.#heard !== null) return this.#adopt(this.#heard);
    if (this.#started !== null) return;
    if (this.#offered !== null) return this.#hold(this.#offered.record, this.#offered.from);
    if (this.#isFirst()) this.#found();
  }

  /** A genesis has started somewhere: take part in it, or know that this disk was lost. */
  #adopt(record: GenesisRecord): void {
    this.#heard = null;
    if (this.#started?.genesisId === record.genesisId) return;
    const named = this.#nameIn(record);
    if (mayRunRaft(this.#state)) {
      // Only after as many lost disks as a majority has members (P1). Never replaced.
      const genesis = this.#started?.genesisId ?? 0;
      this.#env.trace.error("a second genesis has started", { genesis, second: record.genesisId });
      return;
    }
    if (named === this.#config.raftId) return this.#write(GenesisState.Started, record);
    if (named === 0) {
      this.#env.trace.warn("a started genesis does not name this member", {
        genesis: record.genesisId,
      });
      return;
    }
    this.#write(GenesisState.Wiped, record);
  }

  #hold(record: GenesisRecord, from: GenesisSpeaker): void {
    this.#offered = null;
    this.#write(GenesisState.Held, record, () => {
      if (this.#heard !== null) return;
      this.#say(from.memberId, { kind: GenesisKind.Confirm, genesisId: record.genesisId });
    });
  }

  /** The first by name: the next step of its round, if everybody has spoken. */
  #found(): void {
    this.#checkAnswers();
    if (this.#founding.allAnswered) {
      const genesisId = 1 + this.#random.below(2 ** 52);
      const { raftId } = this.#config;
      const record = this.#founding.makeRecord(genesisId, raftId, this.#listed);
      this.#write(GenesisState.Held, record, () => {
        this.#founding.offerHeld(record);
        this.#sayAll(this.#env.clock.monotonicMs());
      });
    } else if (this.#founding.allConfirmed) {
      const record = must(this.#founding.offer, "what all confirmed was offered");
      this.#write(GenesisState.Started, record);
    }
  }

  /** A member whose disk was lost since it answered cannot be named by its old raft id. */
  #checkAnswers(): void {
    const wire = this.#mustWire();
    for (const { memberId } of this.#others) {
      const counted = this.#founding.raftIdOf(memberId);
      const present = wire.speakerOf(memberId)?.raftId ?? 0;
      if (counted !== 0 && present !== counted) {
        this.#founding.anew();
        return;
      }
    }
  }

  #write(state: GenesisState, record: GenesisRecord, held: (() => void) | null = null): void {
    assert(!this.#writing, "Genesis: one write at a time");
    this.#writing = true;
    this.#env.trace.mark("genesis.write");
    this.#directory.writeGenesis(state, encodeGenesisRecord(record), () => {
      this.#env.trace.mark("genesis.written");
      this.#writing = false;
      this.#state = state;
      if (state === GenesisState.Held) {
        held?.();
      } else {
        this.#started = record;
        this.#tell(record);
        this.#sayAll(this.#env.clock.monotonicMs());
      }
      this.#advance();
    });
  }

  #tell(record: GenesisRecord): void {
    const { genesisId } = record;
    this.#env.trace.info("genesis started", { genesis: genesisId });
    if (this.#state === GenesisState.Wiped) {
      const reason =
        `the cluster was founded with this member as raft id ${this.#nameIn(record)}, its data ` +
        `directory has ${this.#config.raftId}: the disk was wiped or replaced, and it rejoins`;
      this.#callbacks.onWiped(record, reason);
    }
    this.#callbacks.onStarted(record);
  }

  // ---- What this member says -----------------------------------------------------------------------

  #sayAll(nowMs: number): void {
    this.#saidMs = nowMs;
    const wire = this.#wire;
    if (wire === null) return;
    for (const { memberId } of this.#others) {
      if (this.#started === null) {
        this.#sayTo(memberId);
        continue;
      }
      const speaker = wire.speakerOf(memberId);
      if (speaker !== null) this.#passOn(speaker);
    }
  }

  /** The first by name: what its round waits for from that member. */
  #sayTo(memberId: string): void {
    if (!this.#isFirst()) return;
    if (!this.#founding.missing.some((member) => member.memberId === memberId)) return;
    const record = this.#founding.offer;
    if (record === null) this.#say(memberId, { kind: GenesisKind.Ask, listed: this.#listText });
    else this.#say(memberId, { kind: GenesisKind.Offer, record });
  }

  #answer(memberId: string): void {
    const { raftId } = this.#config;
    this.#say(memberId, { kind: GenesisKind.Answer, raftId, listed: this.#listText });
  }

  #passOn(speaker: GenesisSpeaker): void {
    const record = must(this.#started, "only a started genesis is passed on");
    if (speaker.genesisId !== 0) return;
    this.#say(speaker.memberId, { kind: GenesisKind.Started, record });
  }

  #say(memberId: string, frame: GenesisFrame): void {
    this.#mustWire().sendGenesis(memberId, encodeGenesisFrame(frame));
  }

  #tellWaiting(): void {
    const [missing, reason] = this.#isFirst() ? this.#firstWaits() : this.#otherWaits();
    if (reason === this.#waiting) return;
    this.#waiting = reason;
    this.#env.trace.info("genesis waiting", { missing: missing.join(","), reason });
    this.#callbacks.onWaiting(missing, reason);
  }

  #firstWaits(): readonly [readonly string[], string] {
    const missing = this.#founding.missing;
    const whys = missing.map((member) => `${member.name} (${this.#whyNot(member.memberId)})`);
    const reason = `all listed members are needed once to found the cluster; missing: ${whys.join(", ")}`;
    return [missing.map((member) => member.name), reason];
  }

  #otherWaits(): readonly [readonly string[], string] {
    const wire = this.#mustWire();
    const missing = this.#others.filter(
      ({ memberId }) => !wire.isConnected(memberId) || this.#differences.has(memberId),
    );
    const whys = missing.map((member) => `${member.name} (${this.#whyNot(member.memberId)})`);
    const first = this.#listed[0]!.name;
    const tail = whys.length === 0 ? "" : `; missing: ${whys.join(", ")}`;
    return [
      missing.map((member) => member.name),
      `${first}, the first by name, founds the cluster when all listed members answer${tail}`,
    ];
  }

  #whyNot(memberId: string): string {
    const difference = this.#differences.get(memberId);
    if (difference !== undefined) return `it was given other members: ${difference}`;
    const reason = this.#mustWire().reasonOf(memberId);
    return reason === "" ? "has not answered" : reason;
  }

  #isFirst(): boolean {
    return this.#listed[0]!.memberId === this.#config.memberId;
  }

  /** The raft id by which a genesis names this member; 0: it does not. */
  #nameIn(record: GenesisRecord): NodeId {
    const { memberId } = this.#config;
    return record.members.find((member) => member.memberId === memberId)?.raftId ?? 0;
  }

  #mustWire(): GenesisWire {
    return must(this.#wire, "Genesis: attached to Peers before it starts");
  }
}
