// Every other member behind one face: links dialled and accepted, sessions, queues, evidence. Owns
// which link belongs to whom; the rules stand in acceptance.ts, the bytes in frame.ts, the meaning of
// Raft frames in inbox.ts, what the end of a link tells in link-ends.ts. Decides about connections, never about Raft.
//
// Each member dials every other with two links, control and data, and sends only on those; it
// receives on the links that others dialled. A third one is dialled for a snapshot.
//
// Order of calls: setMembers, attachGenesis; after recovery setRecords, then setGenesis. Until then
// only genesis talk flows. Events come from link events and `tick`; onUnreachable only from `tick`.
import { assert, emptyBytes } from "@quorate/base";
import type { Message, NodeId, Session } from "@quorate/raft";
import type {
  Env,
  Link,
  LinkEnd,
  LinkEvents,
  PeerRecord,
  Random,
  SnapshotSource,
} from "@quorate/storage";
import type { SupersededCluster } from "../recover/recovered-entry.ts";
import { Acceptance } from "./acceptance.ts";
import { type Frame, FrameType } from "./frame.ts";
import { speakerIn } from "./genesis-talk.ts";
import type { GenesisSpeaker, GenesisTalk, GenesisWire } from "./genesis-talk.ts";
import { type Hello, LinkClass, type Refusal } from "./hello.ts";
import { Inbox } from "./inbox.ts";
import { IncomingLinks } from "./incoming-links.ts";
import { LinkEnds } from "./link-ends.ts";
import { linkTimes } from "./link-times.ts";
import { Outbound } from "./outbound.ts";
import { Peer } from "./peer.ts";
import { helloOf, PeerLink } from "./peer-link.ts";
import type { LinkOwner } from "./peer-link.ts";
import { peerStatus, whyNotConnected } from "./peer-status.ts";
import type {
  DigestPoint,
  ForwardNumber,
  ForwardOutcome,
  PeerMember,
  PeersApi,
  PeersConfig,
  PeersCounters,
  PeersEvents,
  PeerStatus,
} from "./peers-api.ts";
import { QuietWatch } from "./quiet-watch.ts";
import { Remote } from "./remote.ts";
import { LeaseTalk } from "./lease-talk.ts";
import { LogTalk } from "./log-talk.ts";
import { Silence } from "./silence.ts";
import { SnapshotTransfer } from "./snapshot-transfer.ts";
import { tellHost } from "./told.ts";

export class Peers implements PeersApi, LinkOwner, GenesisWire {
  readonly silence: Silence;
  readonly logTalk: LogTalk;
  readonly leaseTalk: LeaseTalk;
  readonly #env: Env;
  readonly #config: PeersConfig;
  readonly #events: PeersEvents;
  readonly #random: Random;
  readonly #acceptance: Acceptance;
  readonly #inbox: Inbox;
  readonly #incoming: IncomingLinks;
  readonly #quiet: QuietWatch;
  readonly #snapshots: SnapshotTransfer;
  readonly #outbound: Outbound;
  readonly #ends: LinkEnds;
  /** Sessions found REGRESSED: their links are ended at the next tick. */
  readonly #condemned: Remote[];
  /** Members by id. */
  readonly #peers: Map<string, Peer>;
  #genesis: GenesisTalk | null;
  #stamp: number;
  #framesRepeated: number;
  #linksFailed: number;
  #closed: boolean;

  constructor(env: Env, config: PeersConfig, events: PeersEvents) {
    this.#env = env;
    this.#config = config;
    this.#events = events;
    this.#random = env.random.fork("peers");
    this.#peers = new Map();
    this.#incoming = new IncomingLinks();
    this.#quiet = new QuietWatch(config.raftId, config.bootCount);
    this.#condemned = [];
    this.#outbound = new Outbound((remote, linkClass) => this.#linkTo(remote, linkClass));
    this.logTalk = new LogTalk(this.#outbound);
    this.leaseTalk = new LeaseTalk(this.#outbound);
    this.silence = new Silence(env.clock, this.#outbound, (remote) => this.#linksOf(remote));
    this.#inbox = new Inbox(config, events, this.silence);
    this.#genesis = null;
    this.#stamp = 0;
    this.#framesRepeated = 0;
    this.#linksFailed = 0;
    this.#closed = false;
    const isMember = (memberId: string): boolean => this.#peers.has(memberId);
    this.#acceptance = new Acceptance({
      env,
      config,
      events,
      isMember,
      raftIdOf: (memberId) => this.#peers.get(memberId)?.raftId ?? 0,
      guestFits: (memberId) => this.#incoming.guestFits(memberId, isMember),
      listed: () => this.#genesis?.listed() ?? "",
      nextStamp: () => ++this.#stamp,
      silentMs: (raftId) => this.silence.of(raftId).silentMs,
      doubt: (memberId) => this.#peers.get(memberId)?.control.hurry(),
    });
    this.#snapshots = new SnapshotTransfer(env, config, events, {
      wantLink: (to, wanted) => this.#wantSnapshotLink(to, wanted),
      memberOf: (raftId) => this.#outbound.remotes.get(raftId)?.memberId ?? "",
    });
    this.#ends = new LinkEnds({
      env,
      events,
      peers: this.#peers,
      incoming: this.#incoming,
      outbound: this.#outbound,
      difference: (listed) => this.#genesis?.difference(listed) ?? "",
      isClosed: () => this.#closed,
      nextStamp: () => ++this.#stamp,
    });
    env.transport.listen((link) => this.#onIncoming(link));
  }

  // ---- Who is there --------------------------------------------------------------------------------

  setMembers(members: readonly PeerMember[]): void {
    const named = new Map(members.map((member) => [member.memberId, member]));
    assert(!named.has(this.#config.memberId), "Peers: this member is not its own peer");
    for (const [memberId, peer] of this.#peers) {
      if (named.has(memberId)) continue;
      this.#peers.delete(memberId);
      peer.close("not a member any more");
      for (const link of this.#incoming.ofMember(memberId)) link.close("not a member any more");
    }
    for (const member of members) {
      const peer = this.#peers.get(member.memberId);
      if (peer !== undefined) peer.setMember(member);
      else this.#peers.set(member.memberId, this.#makePeer(member));
    }
  }

  setGenesis(genesisId: number): void {
    this.#acceptance.setGenesis(genesisId);
    this.#redialGenesisLinks(true);
  }

  setRecords(records: readonly PeerRecord[]): void {
    this.#acceptance.setRecords(records);
    this.#redialGenesisLinks(true);
  }

  setVoters(voters: readonly NodeId[]): void {
    this.#quiet.setVoters(voters);
  }

  setSuperseded(clusters: readonly SupersededCluster[]): void {
    this.#acceptance.setSuperseded(clusters);
  }

  setRemoved(raftIds: readonly NodeId[], memberIds: readonly string[], final: boolean): void {
    this.#acceptance.setRemoved(raftIds, memberIds, final);
    for (const link of this.#incoming.all()) {
      if (link.hello !== null && this.#acceptance.isRemoved(link.hello)) {
        link.close("removed from the cluster");
      }
    }
  }

  dialledRaftId(memberId: string): NodeId {
    const link = this.#peers.get(memberId)?.control.link ?? null;
    return link?.carriesRaft ? helloOf(link).raftId : 0;
  }

  /** Those that stand, in either direction. */
  #linksOf(remote: Remote): PeerLink[] {
    const dialled = this.#peers.get(remote.memberId)?.links ?? [];
    const all = [...this.#incoming.ofMember(remote.memberId), ...dialled];
    return all.filter((link) => link.carriesRaft && remote.isOf(link.hello));
  }

  attachGenesis(genesis: GenesisTalk): void {
    assert(this.#genesis === null, "Peers: one genesis");
    this.#genesis = genesis;
    genesis.attach(this);
  }

  sessionOf(id: NodeId): Session {
    return this.#outbound.remotes.get(id)?.session ?? 0;
  }

  // ---- Sending -------------------------------------------------------------------------------------

  send(message: Message): void {
    this.#outbound.send(message);
  }

  flush(): void {
    this.#outbound.flush();
  }

  forwardProposal(to: NodeId, number: ForwardNumber, kind: number, payload: Uint8Array): boolean {
    return this.#outbound.forwardProposal(to, number, kind, payload);
  }

  answerForward(
    to: NodeId,
    number: ForwardNumber,
    outcome: ForwardOutcome,
    index: number,
    term: number,
  ): void {
    this.#outbound.answerForward(to, number, outcome, index, term);
  }

  forwardRead(to: NodeId, number: ForwardNumber): boolean {
    return this.#outbound.forwardRead(to, number);
  }

  answerForwardRead(to: NodeId, number: ForwardNumber, index: number): void {
    this.#outbound.answerForwardRead(to, number, index);
  }

  broadcastDigest(point: DigestPoint): void {
    this.#outbound.broadcastDigest(point);
  }

  askState(of: NodeId, index: number): void {
    this.#outbound.askState(of, index);
  }

  isReceiving = (): boolean => this.#snapshots.isReceiving;

  sendSnapshot(message: Message, source: SnapshotSource, done: (ok: boolean) => void): void {
    const toSession = this.sessionOf(message.to);
    this.#snapshots.send(message, toSession, source, done);
  }

  /**
   * Where frames for that process leave: the link dialled to it. A process that nobody named, or that
   * speaks under another raft id than its member has, has no address; it is answered on the link that
   * it dialled (P2: configuration may lag behind; P3: a guest).
   */
  #linkTo(remote: Remote, linkClass: LinkClass): PeerLink | null {
    const peer = this.#peers.get(remote.memberId);
    const link =
      peer === undefined || (peer.raftId !== 0 && peer.raftId !== remote.raftId)
        ? this.#incoming.find(remote.memberId, remote.raftId, linkClass)
        : peer.dialer(linkClass).link;
    return link !== null && link.carriesRaft && remote.isOf(link.hello) ? link : null;
  }

  // ---- Links come ----------------------------------------------------------------------------------

  #makePeer(member: PeerMember): Peer {
    return new Peer(this.#env, this.#random, member, (address, linkClass) =>
      this.#dial(member.memberId, address, linkClass),
    );
  }

  #dial(memberId: string, address: string, linkClass: LinkClass): PeerLink {
    const link = new PeerLink({
      env: this.#env,
      owner: this,
      times: linkTimes(this.#config, linkClass),
      linkClass,
      expectedMemberId: memberId,
      address,
      stamp: ++this.#stamp,
    });
    link.attach(this.#env.transport.dial(address, link));
    return link;
  }

  #onIncoming(link: Link): LinkEvents {
    const incoming = new PeerLink({
      env: this.#env,
      owner: this,
      times: linkTimes(this.#config, null),
      linkClass: null,
      expectedMemberId: null,
      address: link.remote,
      stamp: ++this.#stamp,
    });
    incoming.attach(link);
    this.#incoming.add(incoming);
    if (this.#closed) incoming.close("stopped");
    return incoming;
  }

  helloFor(link: PeerLink): Hello {
    assert(link.linkClass !== null, "Peers: a hello for a link of no class");
    return this.#acceptance.helloFor(link, link.linkClass);
  }

  judge(link: PeerLink, hello: Hello): void {
    this.#acceptance.judge(link, hello);
  }

  joinAnswer(ask: Uint8Array): Uint8Array {
    return this.#events.onJoinAsk(ask);
  }

  noticeAnswer(notice: Uint8Array): Refusal {
    return this.#acceptance.noticeAnswer(notice);
  }

  linkAccepted(link: PeerLink): void {
    const hello = helloOf(link);
    if (!link.dialled) this.#incoming.accepted(link);
    const peer = this.#peers.get(hello.memberId);
    const told = hello.peerUrls.map((url) => this.#events.addressOf(url));
    // Who is right? Whoever answers a new dial.
    if (!link.dialled && peer?.contradicts(hello)) peer.control.redial("another process speaks");
    else peer?.heardHello(hello, told);
    if (link.raft) this.#raftLinkAccepted(link, hello);
    if (!link.dialled) {
      this.#hurryTo(hello.memberId);
    } else if (link.linkClass === LinkClass.Control) {
      this.#connected(hello);
      this.#genesis?.onSpeaker(speakerIn(hello));
    }
    this.#redialGenesisLinks(false);
  }

  #raftLinkAccepted(link: PeerLink, hello: Hello): void {
    const known = this.#outbound.remotes.get(hello.raftId);
    if (known === undefined || known.session !== hello.session) this.#newSession(hello, known);
    const remote = this.#outbound.remotes.get(hello.raftId)!;
    if (link.linkClass === LinkClass.Snapshot) this.#snapshots.linkAccepted(link);
    if (link.linkClass !== LinkClass.Control) return;
    if (link.dialled) {
      // The answer to a dial begun since: it lives.
      if (remote.isProbe(link.stamp)) remote.unsuspect();
      remote.ownLinkAccepted();
      this.#quiet.answeredBy(hello);
      this.#maybeResolveQuiet();
    } else if (this.#linkTo(remote, LinkClass.Control) !== null) {
      // Both ways stand. Without the own link, what it dialled may be older than its death.
      remote.unsuspect();
    }
  }

  #newSession(hello: Hello, old: Remote | undefined): void {
    const { raftId, memberId, session } = hello;
    this.#outbound.remotes.set(raftId, new Remote(this.#env, hello, old?.numberTop ?? 0));
    this.#env.trace.info("peer session", {
      member: memberId,
      raftId,
      bootCount: hello.bootCount,
      term: hello.term,
      lastIndex: hello.lastIndex,
    });
    if (old !== undefined) this.#endSession(old);
    const regressed = this.#events.onSession(raftId, session, hello.term, hello.lastIndex);
    if (regressed === "") return;
    this.#acceptance.condemn(session, regressed);
    this.#condemned.push(this.#outbound.remotes.get(raftId)!);
  }

  /** Another process speaks for the raft id: that one is gone, with its links and its queue. */
  #endSession(old: Remote): void {
    this.#outbound.drop(old.discard());
    this.#quiet.forget(old.raftId);
    this.#snapshots.sessionEnded(old.raftId, old.session);
    this.#events.onProcessGone(old.raftId, old.session);
    this.#endLinks(old, "another session of that member");
  }

  #endLinks(remote: Remote, reason: string): void {
    for (const link of this.#incoming.ofMember(remote.memberId)) {
      if (remote.isOf(link.hello)) link.close(reason);
    }
    for (const dialer of this.#peers.get(remote.memberId)?.dialers ?? []) {
      const link = dialer.link;
      if (link !== null && remote.isOf(link.hello)) dialer.redial(reason);
    }
  }

  #connected(hello: Hello): void {
    const peer = this.#peers.get(hello.memberId);
    if (peer === undefined || !peer.setReason("")) return;
    this.#env.trace.info("peer connected", { member: peer.member.name, raftId: hello.raftId });
  }

  /** It dialled this member, so it is there: do not wait long to dial it. */
  #hurryTo(memberId: string): void {
    for (const dialer of this.#peers.get(memberId)?.dialers ?? []) dialer.hurry();
  }

  // ---- Frames come ---------------------------------------------------------------------------------

  linkFrame(link: PeerLink, frame: Frame): void {
    const hello = helloOf(link);
    if (frame.type === FrameType.Genesis) {
      this.#genesis?.onFrame(speakerIn(hello), frame.body);
      return;
    }
    const remote = this.#outbound.remotes.get(hello.raftId);
    if (!link.raft || remote === undefined || !remote.isOf(link.hello)) {
      this.#outbound.drop(1);
      return;
    }
    const wrong =
      link.linkClass === LinkClass.Snapshot
        ? this.#snapshots.handle(link, frame)
        : this.#inbox.handle(frame, remote, hello);
    if (wrong !== "") link.fail(wrong);
  }

  linkDrained(link: PeerLink): void {
    if (!link.raft) return;
    if (link.linkClass === LinkClass.Snapshot) return this.#snapshots.linkDrained(link);
    this.#outbound.flushOne(helloOf(link).raftId);
  }

  // ---- Links end -----------------------------------------------------------------------------------

  linkEnded(link: PeerLink, end: LinkEnd, reason: string, refusal: Refusal | null): void {
    this.#framesRepeated += link.duplicates;
    const memberId = link.expectedMemberId ?? link.hello?.memberId ?? "";
    const peer = this.#peers.get(memberId);
    peer?.absorb(link);
    if (link.failed) this.#linksFailed++;
    if (link.raft && link.hello !== null) {
      this.#outbound.remotes.get(link.hello.raftId)?.noteHeard(link.heardMs);
    }
    if (link.linkClass === LinkClass.Snapshot) this.#snapshots.linkEnded(link);
    if (!link.dialled) {
      const present = this.#incoming.ended(link);
      if (present && link.raft && link.linkClass === LinkClass.Control) {
        this.#ends.controlEnded(link, end);
      }
    } else if (peer !== undefined) {
      this.#ends.dialledEnded(peer, link, end, reason, refusal);
      if (refusal !== null && !this.#closed) tellHost(this.#events, peer.member.name, refusal);
    }
  }

  // ---- Time, genesis, status -----------------------------------------------------------------------

  tick(ticks: number): void {
    if (this.#closed) return;
    for (const peer of this.#peers.values()) peer.tick(ticks);
    for (const link of this.#incoming.all()) link.tick(ticks);
    this.#snapshots.tick(ticks);
    this.#genesis?.tick(ticks);
    this.#maybeResolveQuiet();
    // Only here: not while one of these links is being accepted. What it dials next is refused.
    for (const remote of this.#condemned.splice(0)) this.#endLinks(remote, "it is REGRESSED");
    // Only here: never from within a call of the host.
    for (const id of this.#outbound.takeUnreachable()) this.#events.onUnreachable(id);
  }

  /** Says goodbye: the ends of these links are no evidence of a crash. */
  close(): void {
    this.#closed = true;
    this.#snapshots.close();
    for (const peer of this.#peers.values()) {
      for (const dialer of peer.dialers) sayBye(dialer.link);
      peer.close("stopped");
    }
    for (const link of this.#incoming.all()) {
      sayBye(link);
      link.close("stopped");
    }
  }

  sendGenesis(memberId: string, body: Uint8Array): boolean {
    const link = this.#peers.get(memberId)?.control.link ?? null;
    return link !== null && link.accepted && link.sendFrame(FrameType.Genesis, body);
  }

  speakerOf(memberId: string): GenesisSpeaker | null {
    const hello = this.#peers.get(memberId)?.hello ?? null;
    return hello === null ? null : speakerIn(hello);
  }

  isConnected(memberId: string): boolean {
    return this.#peers.get(memberId)?.control.link?.accepted ?? false;
  }

  reasonOf(memberId: string): string {
    const peer = this.#peers.get(memberId);
    if (peer === undefined) return "not a member";
    return whyNotConnected(peer, this.#acceptance.genesisId !== 0);
  }

  status(): readonly PeerStatus[] {
    const nowMs = this.#env.clock.monotonicMs();
    const started = this.#acceptance.genesisId !== 0;
    return [...this.#peers.values()].map((peer) => {
      const incoming = this.#incoming.ofMember(peer.member.memberId);
      const remote = this.#outbound.remotes.get(peer.raftId) ?? null;
      return peerStatus(peer, remote, incoming, started, nowMs);
    });
  }

  counters(): PeersCounters {
    return {
      messagesDropped: this.#outbound.dropped,
      framesForeign: this.#inbox.foreign,
      framesRepeated: this.#framesRepeated,
      linksFailed: this.#linksFailed,
      handshakesEvicted: this.#incoming.evicted,
    };
  }

  #maybeResolveQuiet(): void {
    if (this.#acceptance.genesisId !== 0 && this.#quiet.maybeResolve()) {
      this.#env.trace.info("all voters answered, none knows a leader");
      this.#events.onQuietResolved();
    }
  }

  /**
   * Links agreed for genesis talk only are dialled anew: all whose hello left before this member had
   * started (the others hear of it by the new hello, and do the same), and those to a member whose
   * newest hello says that it has started as well.
   */
  #redialGenesisLinks(justStarted: boolean): void {
    const genesisId = this.#acceptance.genesisId;
    if (genesisId === 0) return;
    for (const peer of this.#peers.values()) {
      const both = justStarted || peer.hello?.genesisId === genesisId;
      for (const dialer of peer.dialers) {
        const { link } = dialer;
        if (link === null || !link.accepted || link.raft) continue;
        if (both || link.saidGenesisId !== genesisId) dialer.redial("the genesis has started");
      }
    }
  }

  #wantSnapshotLink(to: NodeId, wanted: boolean): void {
    const memberId = this.#outbound.remotes.get(to)?.memberId ?? "";
    const dialer = this.#peers.get(memberId)?.snapshot;
    dialer?.want(wanted, "the transfer has ended");
    dialer?.dialNow();
  }
}

const sayBye = (link: PeerLink | null): boolean =>
  link?.accepted === true && link.sendFrame(FrameType.Bye, emptyBytes);
