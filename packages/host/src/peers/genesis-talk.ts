// The seam between Peers and Genesis (P1). Peers carries frames of type Genesis between members that
// share cluster id and token, whether or not either has started, and says who answers where; what
// the frames say only Genesis knows. `Peers.attachGenesis` gives each side to the other, and
// `Peers.tick` ticks the talk; it goes on after the start, because whoever knows of a started
// genesis passes it on.
import type { NodeId, Session } from "@quorate/raft";
import type { Hello } from "./hello.ts";

/** The process that speaks, as its hello on that very link says. */
export interface GenesisSpeaker {
  readonly memberId: string;
  readonly raftId: NodeId;
  readonly session: Session;
  /** The started genesis it takes part in; 0: none, it is to be told. */
  readonly genesisId: number;
}

export interface GenesisTalk {
  attach(wire: GenesisWire): void;
  tick(ticks: number): void;
  /** This member can now send to a process. */
  onSpeaker(speaker: GenesisSpeaker): void;
  onFrame(from: GenesisSpeaker, body: Uint8Array): void;
  /** The members it was told to found the cluster with, for refusals; one line each. */
  listed(): string;
  /** In what another member's list differs from the own one; empty: in nothing, or unknown. */
  difference(listed: string): string;
}

export interface GenesisWire {
  /** False: no link; nothing was sent. What was sent may still be lost. */
  sendGenesis(memberId: string, body: Uint8Array): boolean;
  /** The newest process that speaks for a member; null: none was heard. */
  speakerOf(memberId: string): GenesisSpeaker | null;
  /** Can be sent to now. */
  isConnected(memberId: string): boolean;
  /** Why not; empty when it can. */
  reasonOf(memberId: string): string;
}

export function speakerIn(hello: Hello): GenesisSpeaker {
  const { memberId, raftId, session, genesisId } = hello;
  return { memberId, raftId, session, genesisId };
}
