// The hello: what each side of a link says first (P4), and why one is refused. Pure codec and rules;
// the session rule is in sessions.ts. Fits into 4 KiB whatever the configuration says.
import { ByteReader, ByteWriter, crc32c, utf8Encode, utf8Length } from "@quorate/base";
import type { Index, NodeId, Session, Term } from "@quorate/raft";

/**
 * 2: heartbeats may carry a rank, which version 1 refuses as an unknown field. 4: a hello says where its
 * sender is dialled.
 */
export const peerProtocolVersion = 4;

/** What a link is for: heartbeats and votes never queue behind bulk data (DESIGN.md 19). */
export const LinkClass = { Control: 1, Data: 2, Snapshot: 3 } as const;
export type LinkClass = (typeof LinkClass)[keyof typeof LinkClass];

export class Hello {
  readonly linkClass: LinkClass;
  readonly clusterId: string;
  /** `tokenTag` of the initial cluster token. */
  readonly token: string;
  readonly memberId: string;
  readonly raftId: NodeId;
  readonly bootCount: number;
  readonly session: Session;
  /** 0: no started genesis that this member takes part in. */
  readonly genesisId: number;
  readonly term: Term;
  readonly lastIndex: Index;
  readonly levelMax: number;
  readonly leader: NodeId;
  /** The receiver's session as the sender knows it; in an answer, that of the hello it answers. */
  readonly toSession: Session;
  /** The highest boot count that the sender knows of the receiver's raft id; 0: none. */
  readonly toBootCount: number;
  readonly wallMs: number;
  /**
   * Where the sender is dialled, as it knows: who was away while it moved has only its old addresses.
   * At most `helloUrlsMax`.
   */
  readonly peerUrls: readonly string[];

  constructor(fields: HelloFields) {
    this.linkClass = fields.linkClass;
    this.clusterId = fields.clusterId;
    this.token = fields.token;
    this.memberId = fields.memberId;
    this.raftId = fields.raftId;
    this.bootCount = fields.bootCount;
    this.session = fields.session;
    this.genesisId = fields.genesisId;
    this.term = fields.term;
    this.lastIndex = fields.lastIndex;
    this.levelMax = fields.levelMax;
    this.leader = fields.leader;
    this.toSession = fields.toSession;
    this.toBootCount = fields.toBootCount;
    this.wallMs = fields.wallMs;
    this.peerUrls = fields.peerUrls;
  }
}
export type HelloFields = { readonly [K in keyof Hello]: Hello[K] };

export function withGenesis(hello: HelloFields, genesisId: number): Hello {
  return new Hello({ ...hello, genesisId });
}

const memberIdBytesMax = 64;
const clusterIdBytesMax = 64;
const tokenBytesMax = 512;
export const helloUrlsMax = 8;
/** Together: a hello fits into its frame whatever else it says. */
const urlBytesMax = 1024;

/**
 * What a member says that joined a running cluster: nobody told it the token, and it holds nobody to
 * it. The others hold it to the genesis instead, which tells more.
 */
export const tokenUntold = "";

/** The token itself, or, when it is very long, its beginning and a checksum. */
export function tokenTag(token: string): string {
  if (utf8Length(token) <= tokenBytesMax) return token;
  return `${token.slice(0, 100)}#${crc32c(utf8Encode(token)).toString(16)}`;
}

export function encodeHello(hello: Hello): Uint8Array {
  const writer = new ByteWriter(256);
  writer.u16(peerProtocolVersion);
  writer.u8(hello.linkClass);
  writer.text(hello.clusterId);
  writer.text(hello.token);
  writer.text(hello.memberId);
  writer.varint(hello.raftId);
  writer.varint(hello.bootCount);
  writer.varint(hello.session);
  writer.varint(hello.genesisId);
  writer.varint(hello.term);
  writer.varint(hello.lastIndex);
  writer.varint(hello.levelMax);
  writer.varint(hello.leader);
  writer.varint(hello.toSession);
  writer.varint(hello.toBootCount);
  writer.varint(hello.wallMs);
  const urls = helloUrls(hello.peerUrls);
  writer.u8(urls.length);
  for (const url of urls) writer.text(url);
  return writer.view();
}

/** The first ones, as far as they fit. */
function helloUrls(urls: readonly string[]): readonly string[] {
  let bytes = 0;
  const end = urls.findIndex((url) => (bytes += utf8Length(url)) > urlBytesMax);
  return urls.slice(0, Math.min(end < 0 ? urls.length : end, helloUrlsMax));
}

/** A number: the protocol version of a hello that this binary does not read. Null: nonsense. */
export function decodeHello(body: Uint8Array): Hello | number | null {
  const reader = new ByteReader(body);
  const version = reader.u16();
  if (!reader.ok) return null;
  if (version !== peerProtocolVersion) return version;
  const linkClass = reader.u8();
  const clusterId = reader.text();
  const token = reader.text();
  const memberId = reader.text();
  const hello = new Hello({
    linkClass: linkClass as LinkClass,
    clusterId,
    token,
    memberId,
    raftId: reader.varint(),
    bootCount: reader.varint(),
    session: reader.varint(),
    genesisId: reader.varint(),
    term: reader.varint(),
    lastIndex: reader.varint(),
    levelMax: reader.varint(),
    leader: reader.varint(),
    toSession: reader.varint(),
    toBootCount: reader.varint(),
    wallMs: reader.varint(),
    peerUrls: readUrls(reader),
  });
  if (!reader.ok || reader.remaining > 0) return null;
  const sane =
    linkClass >= LinkClass.Control &&
    linkClass <= LinkClass.Snapshot &&
    clusterId.length <= clusterIdBytesMax &&
    memberId.length <= memberIdBytesMax &&
    hello.raftId >= 1 &&
    hello.session >= 1 &&
    hello.bootCount >= 1 &&
    hello.peerUrls.length <= helloUrlsMax;
  return sane ? hello : null;
}

function readUrls(reader: ByteReader): string[] {
  const count = reader.u8();
  return Array.from({ length: reader.ok ? count : 0 }, () => reader.text());
}

// ---- Refusals ------------------------------------------------------------------------------------

/** On the wire: never reuse a value. */
export const RefusalCode = {
  WrongProtocol: 1,
  WrongCluster: 2,
  WrongToken: 3,
  AnotherGenesis: 4,
  Removed: 5,
  UnknownMember: 6,
  OwnId: 7,
  /** Another member answers at that address. */
  WrongMember: 8,
  /** The session rule: an older boot, or another process of the same boot (P4). */
  Regressed: 9,
  /** A bound of the refusing side is reached. */
  Busy: 10,
  /** It is removed, and may be needed for votes yet: the leader says when it may go (P2). */
  Leaving: 11,
  /** Its cluster lost its quorum for good, and was recovered under another id. */
  Superseded: 12,
  /** Only to a notice that a cluster is superseded: a member of the one that goes on was told. */
  Successor: 13,
} as const;
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode];

export class Refusal {
  /** Of RefusalCode, or one that a newer binary knows. */
  readonly code: number;
  /** One line that stands alone in a log of the refused member. */
  readonly reason: string;
  /** The members that the refuser was told to found the cluster with (P1), or empty. */
  readonly listed: string;

  constructor(code: number, reason: string, listed: string) {
    this.code = code;
    this.reason = reason;
    this.listed = listed;
  }
}

const reasonCharsMax = 200;
const listedBytesMax = 3000;

export function encodeRefusal(refusal: Refusal): Uint8Array {
  const writer = new ByteWriter(256);
  writer.u8(refusal.code);
  writer.text(refusal.reason.slice(0, reasonCharsMax));
  writer.text(utf8Length(refusal.listed) <= listedBytesMax ? refusal.listed : "");
  return writer.view();
}

export function decodeRefusal(body: Uint8Array): Refusal | null {
  const reader = new ByteReader(body);
  const refusal = new Refusal(reader.u8(), reader.text(), reader.text());
  return reader.ok ? refusal : null;
}

// ---- The rules that need no memory ---------------------------------------------------------------

/** What a hello is held against. */
export interface HelloRules {
  readonly clusterId: string;
  readonly token: string;
  readonly memberId: string;
  readonly raftId: NodeId;
  /** 0: none that is ready for Raft. */
  readonly genesisId: number;
  /** The member that was dialled; null on an incoming link. */
  readonly expectedMemberId: string | null;
  isMember(memberId: string): boolean;
  /** That the configuration names for a member, or that speaks for it; 0: none known. */
  raftIdOf(memberId: string): NodeId;
  isRemoved(raftId: NodeId): boolean;
  isRemovedMember(memberId: string): boolean;
  /** The cluster of that id is what this one was before a recovery. */
  isSuperseded(clusterId: string, genesisId: number): boolean;
  /** Whoever is removed may be told so. */
  readonly removedFinal: boolean;
  /** Whether the raft id that has replaced a removed one speaks; null: it was not listened to long enough. */
  successorLives(removed: Hello, successor: NodeId): boolean | null;
  /** `Refusal.listed`. */
  listed(): string;
}

/**
 * Null: nothing against it. Told from the refuser to the refused, so "this member" is the refuser.
 * A raft id that no record names is not refused when it shares the started genesis: this member's
 * configuration may lag behind (P2).
 */
export function checkHello(rules: HelloRules, hello: Hello): Refusal | null {
  const { UnknownMember, OwnId, WrongMember } = RefusalCode;
  const shared = rules.genesisId !== 0 && hello.genesisId === rules.genesisId;
  const untold = rules.token === tokenUntold || (shared && hello.token === tokenUntold);
  // Before the token: who joined the old cluster was never told it.
  if (rules.isSuperseded(hello.clusterId, hello.genesisId)) {
    const text = `cluster ${hello.clusterId} lost its quorum and goes on as ${rules.clusterId}`;
    return new Refusal(RefusalCode.Superseded, text, "");
  }
  if (hello.token !== rules.token && !untold) {
    return wrong(RefusalCode.WrongToken, "cluster token", hello.token, rules.token, rules);
  }
  if (hello.clusterId !== rules.clusterId) {
    return wrong(RefusalCode.WrongCluster, "cluster id", hello.clusterId, rules.clusterId, rules);
  }
  if (hello.memberId === rules.memberId || hello.raftId === rules.raftId) {
    return new Refusal(OwnId, `this member has the same id ${hello.memberId} itself`, "");
  }
  if (rules.expectedMemberId !== null && hello.memberId !== rules.expectedMemberId) {
    const text = `member ${hello.memberId} answers at the address of ${rules.expectedMemberId}`;
    return new Refusal(WrongMember, text, "");
  }
  if (rules.genesisId !== 0 && hello.genesisId !== 0 && !shared) {
    const { AnotherGenesis } = RefusalCode;
    return wrong(AnotherGenesis, "genesis", `${hello.genesisId}`, `${rules.genesisId}`, null);
  }
  if (rules.isRemoved(hello.raftId)) return refuseRemoved(rules, hello);
  if (rules.isRemovedMember(hello.memberId)) {
    // No configuration ever named this raft id, and none will: nobody needs it for votes.
    const text = `member ${hello.memberId} was removed from the cluster`;
    return new Refusal(RefusalCode.Removed, text, "");
  }
  if (!shared && !rules.isMember(hello.memberId)) {
    const text = `member ${hello.memberId} is not among the members of the cluster`;
    return new Refusal(UnknownMember, text, rules.listed());
  }
  return null;
}

/**
 * Its member may have gone on under another raft id. While that one lives, this is what is left of the
 * old process, and it may go. When nobody hears that one either, an older copy of the member's directory
 * has taken its place: it is told so, and rejoins like any other that was rolled back (P4).
 */
function refuseRemoved(rules: HelloRules, hello: Hello): Refusal {
  const { raftId, memberId } = hello;
  const { Removed, Leaving, Regressed } = RefusalCode;
  const next = rules.raftIdOf(memberId);
  const text = `raft id ${raftId} was removed from the cluster`;
  if (next === 0 || next === raftId) {
    return new Refusal(rules.removedFinal ? Removed : Leaving, text, "");
  }
  const replaced = `${text}, replaced by raft id ${next}`;
  const lives = rules.removedFinal ? rules.successorLives(hello, next) : null;
  if (lives === null) return new Refusal(Leaving, replaced, "");
  if (lives) return new Refusal(Removed, replaced, "");
  return new Refusal(Regressed, `${replaced}, which nobody hears: it is REGRESSED`, "");
}

export function wrongProtocol(version: number): Refusal {
  const text = `peer protocol ${version} was spoken, this member speaks ${peerProtocolVersion}`;
  return new Refusal(RefusalCode.WrongProtocol, text, "");
}

function wrong(
  code: RefusalCode,
  what: string,
  theirs: string,
  ours: string,
  rules: HelloRules | null,
): Refusal {
  const text = `${what} is ${quote(ours)} here, not ${quote(theirs)}`;
  return new Refusal(code, text, rules === null ? "" : rules.listed());
}

function quote(text: string): string {
  return `"${text.slice(0, 60)}"`;
}
