// Who may speak here: holds each hello against the configuration and the session rule (P4), waits for
// the record of a new session to be durable, and tells who is REGRESSED. Knows links only as far as
// to accept or refuse them.
import { assert, assertNever } from "@quorate/base";
import type { NodeId, Session } from "@quorate/raft";
import type { Env, PeerRecord } from "@quorate/storage";
import type { SupersededCluster } from "../recover/recovered-entry.ts";
import { checkHello, Hello, Refusal, RefusalCode, tokenTag } from "./hello.ts";
import type { LinkClass } from "./hello.ts";
import { LinkState } from "./peer-link.ts";
import type { PeerLink } from "./peer-link.ts";
import type { PeersConfig, PeersEvents } from "./peers-api.ts";
import { Sessions, SessionVerdict } from "./sessions.ts";
import { answerNotice } from "./told.ts";

export interface AcceptanceParts {
  readonly env: Env;
  readonly config: PeersConfig;
  readonly events: PeersEvents;
  isMember(memberId: string): boolean;
  /** Raft id that the configuration names for a member; 0: not known. */
  raftIdOf(memberId: string): NodeId;
  /** May one more process of no known member be heard? */
  guestFits(memberId: string): boolean;
  listed(): string;
  nextStamp(): number;
  /** How long this process has not heard a raft id. */
  silentMs(raftId: NodeId): number;
  /** An older boot speaks up on a link that it dialled: find out who answers there now. */
  doubt(memberId: string): void;
}

export class Acceptance {
  readonly #parts: AcceptanceParts;
  readonly #sessions: Sessions;
  readonly #token: string;
  /** Records whose links wait for `persisted`. */
  readonly #settling: Map<PeerRecord, PeerLink[]>;
  /** When the newest record of a raft id was judged; absent: by an earlier boot. */
  readonly #judgedAt: Map<NodeId, number>;
  /** Regressed sessions told already: one line each. */
  readonly #told: Map<NodeId, Session>;
  /** Sessions that the core has found REGRESSED, and why. */
  readonly #condemned: Map<Session, string>;
  /** Removed raft id that another one has replaced → its newest process, and when that first spoke, ms. */
  readonly #returned: Map<NodeId, { readonly session: Session; readonly sinceMs: number }>;
  #removed: ReadonlySet<NodeId>;
  #removedMembers: ReadonlySet<string>;
  #removedFinal: boolean;
  #superseded: readonly SupersededCluster[];
  #genesisId: number;
  #haveRecords: boolean;

  constructor(parts: AcceptanceParts) {
    this.#parts = parts;
    this.#sessions = new Sessions();
    this.#token = tokenTag(parts.config.token);
    this.#settling = new Map();
    this.#judgedAt = new Map();
    this.#told = new Map();
    this.#condemned = new Map();
    this.#returned = new Map();
    this.#removed = new Set();
    this.#removedMembers = new Set();
    this.#removedFinal = false;
    this.#superseded = [];
    this.#genesisId = 0;
    this.#haveRecords = false;
  }

  /** The genesis under which Raft frames may flow; 0 until the records are known too. */
  get genesisId(): number {
    return this.#haveRecords ? this.#genesisId : 0;
  }

  setGenesis(genesisId: number): void {
    assert(this.#genesisId === 0 || this.#genesisId === genesisId, "a genesis is never replaced");
    this.#genesisId = genesisId;
  }

  setRecords(records: readonly PeerRecord[]): void {
    this.#sessions.setRecords(records);
    this.#haveRecords = true;
  }

  setRemoved(raftIds: readonly NodeId[], memberIds: readonly string[], final: boolean): void {
    this.#removed = new Set(raftIds);
    this.#removedMembers = new Set(memberIds);
    this.#removedFinal = final;
  }

  setSuperseded(clusters: readonly SupersededCluster[]): void {
    this.#superseded = clusters;
  }

  /** Somebody says that a cluster is superseded. */
  noticeAnswer(notice: Uint8Array): Refusal {
    const { env, config, events } = this.#parts;
    return answerNotice(notice, config, this.genesisId, (reason) => {
      // Not from within the link: the host ends all of them.
      env.schedule(() => events.onToldSuperseded(reason));
    });
  }

  isRemoved({ raftId, memberId }: Hello): boolean {
    return this.#removed.has(raftId) || this.#removedMembers.has(memberId);
  }

  helloFor(link: PeerLink, linkClass: LinkClass): Hello {
    const { env, config, events } = this.#parts;
    const facts = events.hello();
    const theirs = link.hello;
    const theirId = theirs?.raftId ?? this.#parts.raftIdOf(link.expectedMemberId ?? "");
    if (link.saidGenesisId < 0) link.saidGenesisId = this.genesisId;
    return new Hello({
      linkClass,
      clusterId: config.clusterId,
      token: this.#token,
      memberId: config.memberId,
      raftId: config.raftId,
      bootCount: config.bootCount,
      session: config.session,
      genesisId: link.saidGenesisId,
      term: facts.term,
      lastIndex: facts.lastIndex,
      levelMax: config.levelMax,
      leader: facts.leader,
      toSession: theirs?.session ?? this.#sessions.sessionOf(theirId),
      toBootCount: this.#sessions.bootCountOf(theirId),
      wallMs: Math.max(0, Math.floor(env.clock.wallMs())),
      peerUrls: facts.peerUrls,
    });
  }

  judge(link: PeerLink, hello: Hello): void {
    const refusal = this.#check(link, hello);
    if (refusal !== null) return this.#refuse(link, refusal);
    if (link.dialled && hello.toSession !== this.#parts.config.session) {
      return link.fail("the hello answers another process");
    }
    // A dialled link has spoken first, perhaps before the genesis was known here.
    const said = link.dialled ? link.saidGenesisId : this.genesisId;
    link.raft = said !== 0 && hello.genesisId === said;
    if (!link.raft) return link.accept();
    this.#judgeSession(link, hello);
  }

  #check(link: PeerLink, hello: Hello): Refusal | null {
    const parts = this.#parts;
    const { config } = parts;
    const refusal = checkHello(
      {
        clusterId: config.clusterId,
        token: this.#token,
        memberId: config.memberId,
        raftId: config.raftId,
        genesisId: this.genesisId,
        expectedMemberId: link.expectedMemberId,
        isMember: (memberId) => parts.isMember(memberId),
        raftIdOf: (memberId) => parts.raftIdOf(memberId),
        isRemoved: (raftId) => this.#removed.has(raftId),
        isRemovedMember: (memberId) => this.#removedMembers.has(memberId),
        isSuperseded: (clusterId, genesisId) =>
          isSuperseded(this.#superseded, clusterId, genesisId),
        removedFinal: this.#removedFinal,
        successorLives: (removed, successor) => this.#successorLives(removed, successor),
        listed: () => parts.listed(),
      },
      hello,
    );
    if (refusal !== null || parts.isMember(hello.memberId)) return refusal;
    return parts.guestFits(hello.memberId)
      ? null
      : new Refusal(RefusalCode.Busy, "too many guests", "");
  }

  /** Whoever died with its member's disk was heard until then: two election timeouts tell. */
  #successorLives({ raftId, session }: Hello, successor: NodeId): boolean | null {
    const { env, config } = this.#parts;
    const nowMs = env.clock.monotonicMs();
    const known = this.#returned.get(raftId);
    const sinceMs = known?.session === session ? known.sinceMs : nowMs;
    this.#returned.set(raftId, { session, sinceMs });
    const neededMs = 2 * config.electionTimeoutMs;
    return nowMs - sinceMs < neededMs ? null : this.#parts.silentMs(successor) < neededMs;
  }

  /** Its hellos are refused from now on, and that tells it. */
  condemn(session: Session, reason: string): void {
    this.#condemned.set(session, reason);
  }

  #judgeSession(link: PeerLink, hello: Hello): void {
    const condemned = this.#condemned.get(hello.session);
    if (condemned !== undefined) return this.#refuse(link, regressedRefusal(hello, condemned));
    const verdict = this.#sessions.judge(hello.raftId, hello.bootCount, hello.session);
    switch (verdict) {
      case SessionVerdict.Accepted:
        return link.accept();
      case SessionVerdict.New:
        return this.#persist(link, hello.raftId);
      case SessionVerdict.Pending:
        return this.#wait(link, hello.raftId);
      case SessionVerdict.Regressed:
        return this.#regressed(link, hello);
      case SessionVerdict.TooMany:
        return this.#refuse(link, new Refusal(RefusalCode.Busy, "too many raft ids", ""));
      default:
        assertNever(verdict, "session verdict");
    }
  }

  #persist(link: PeerLink, raftId: NodeId): void {
    const record = this.#sessions.newest(raftId);
    assert(record !== null, "a new session has a record");
    this.#judgedAt.set(raftId, this.#parts.nextStamp());
    this.#settling.set(record, [link]);
    this.#parts.events.persistPeer(record, () => this.#persisted(record));
  }

  #wait(link: PeerLink, raftId: NodeId): void {
    const record = this.#sessions.newest(raftId);
    assert(record !== null, "a pending session has a record");
    const links = this.#settling.get(record);
    assert(links !== undefined, "a pending session has links that wait");
    // Those that ended meanwhile make room: as many live ones as a process dials.
    this.#settling.set(record, [...links.filter((l) => l.state === LinkState.Settling), link]);
  }

  #persisted(record: PeerRecord): void {
    const links = this.#settling.get(record);
    assert(links !== undefined, "a record is persisted once");
    this.#settling.delete(record);
    const newest = this.#sessions.persisted(record);
    for (const link of links) {
      if (link.state !== LinkState.Settling) continue;
      if (newest) link.accept();
      else this.#refuse(link, regression(record, this.#sessions.newest(record.raftId)));
    }
  }

  /**
   * The hello is refused in any case. It is evidence only as the answer to a dial begun after the
   * newer boot was known: an old process that died since may have left a hello on the way.
   */
  #regressed(link: PeerLink, hello: Hello): void {
    const newest = this.#sessions.newest(hello.raftId);
    const refusal = regression(hello, newest);
    const judgedAt = this.#judgedAt.get(hello.raftId) ?? 0;
    const fresh = link.dialled && link.stamp > judgedAt;
    this.#refuse(link, refusal);
    if (!fresh) {
      this.#parts.doubt(hello.memberId);
    } else if (this.#told.get(hello.raftId) !== hello.session) {
      this.#told.set(hello.raftId, hello.session);
      this.#parts.events.onRegressed(hello.raftId, refusal.reason);
    }
  }

  #refuse(link: PeerLink, refusal: Refusal): void {
    this.#parts.env.trace.debug("peer not accepted", {
      remote: link.remote,
      reason: refusal.reason,
    });
    link.refuse(refusal);
  }
}

/** Another cluster may have been founded with the same list; who has no genesis yet is not told apart. */
function isSuperseded(
  clusters: readonly SupersededCluster[],
  clusterId: string,
  genesisId: number,
): boolean {
  return clusters.some(
    (one) =>
      one.clusterId === clusterId &&
      (genesisId === 0 || one.genesisId === 0 || one.genesisId === genesisId),
  );
}

function regression(
  hello: { readonly raftId: NodeId; readonly bootCount: number },
  newest: PeerRecord | null,
): Refusal {
  const known = newest?.bootCount ?? 0;
  const what =
    hello.bootCount === known
      ? `another process has spoken for boot ${known}`
      : `it says boot ${hello.bootCount}, boot ${known} has been seen`;
  return regressedRefusal(hello, what);
}

function regressedRefusal({ raftId }: { readonly raftId: NodeId }, what: string): Refusal {
  return new Refusal(RefusalCode.Regressed, `raft id ${raftId} is REGRESSED: ${what}`, "");
}
