// What the end of a link tells: that a process may be gone (gone-watch.ts has the rules), that what was
// on its way is lost, and to operators, why somebody is not reached. Closes nothing; dials where a rule
// wants to know.
import type { Env, LinkEnd } from "@quorate/storage";
import { controlTrafficEnded, dialEnded, GoneStep, ownLinkEnded } from "./gone-watch.ts";
import { LinkClass, type Refusal } from "./hello.ts";
import type { IncomingLinks } from "./incoming-links.ts";
import { endText } from "./link-times.ts";
import type { Outbound } from "./outbound.ts";
import type { Peer } from "./peer.ts";
import { helloOf, notAccepted } from "./peer-link.ts";
import type { PeerLink } from "./peer-link.ts";
import type { PeersEvents } from "./peers-api.ts";

export interface LinkEndsParts {
  readonly env: Env;
  readonly events: PeersEvents;
  /** By member id. */
  readonly peers: ReadonlyMap<string, Peer>;
  readonly incoming: IncomingLinks;
  readonly outbound: Outbound;
  /** Between the members that this one and the other side are told of; empty: none. */
  difference(listed: string): string;
  isClosed(): boolean;
  nextStamp(): number;
}

export class LinkEnds {
  readonly #parts: LinkEndsParts;

  constructor(parts: LinkEndsParts) {
    this.#parts = parts;
  }

  /** The process at the other end of a dialled link has a control link to here. */
  #hearsFrom(link: PeerLink): boolean {
    const { memberId, raftId } = helloOf(link);
    return this.#parts.incoming.find(memberId, raftId, LinkClass.Control) !== null;
  }

  controlEnded(link: PeerLink, end: LinkEnd): void {
    const remote = this.#parts.outbound.remotes.get(helloOf(link).raftId);
    if (remote === undefined || !remote.isOf(link.hello)) return;
    if (link.dialled && this.#hearsFrom(link)) {
      ownLinkEnded(remote, link, end, this.#parts.nextStamp());
      return;
    }
    const step = controlTrafficEnded(remote, link, end, this.#parts.nextStamp());
    if (step === GoneStep.Dial) this.#parts.peers.get(remote.memberId)?.control.dialNow();
  }

  dialledEnded(
    peer: Peer,
    link: PeerLink,
    end: LinkEnd,
    reason: string,
    refusal: Refusal | null,
  ): void {
    const linkClass = link.linkClass ?? LinkClass.Control;
    if (linkClass === LinkClass.Data && link.raft && link.hello !== null) {
      this.#parts.outbound.lostAppends(link.hello.raftId);
    }
    if (linkClass === LinkClass.Control) {
      this.#disconnected(peer, link, reason === "" ? endText(end) : reason, refusal);
      if (link.raft && link.acceptedMs >= 0) this.controlEnded(link, end);
    }
    peer.dialer(linkClass).linkEnded(link);
    if (linkClass === LinkClass.Control) this.#judgeProbe(peer, link, end);
  }

  #judgeProbe(peer: Peer, link: PeerLink, end: LinkEnd): void {
    for (const remote of this.#parts.outbound.remotes.values()) {
      if (remote.memberId !== peer.member.memberId) continue;
      const step = dialEnded(remote, peer, link, end);
      if (step === GoneStep.Dial) peer.control.dialNow();
      if (step !== GoneStep.Gone) continue;
      this.#parts.env.trace.info("peer process is gone", { member: peer.member.name });
      this.#parts.events.onProcessGone(remote.raftId, remote.session);
    }
  }

  #disconnected(peer: Peer, link: PeerLink, cause: string, refusal: Refusal | null): void {
    const difference = refusal === null ? "" : this.#parts.difference(refusal.listed);
    const reason = link.saidBye ? "stopped" : difference === "" ? cause : `${cause}; ${difference}`;
    if (this.#parts.isClosed() || !peer.setReason(reason)) return;
    const fields = { member: peer.member.name, address: link.address, reason };
    const refused = refusal !== null || cause.startsWith(notAccepted);
    if (refused) this.#parts.events.onRefused(peer.raftId, `${peer.member.name}: ${reason}`);
    if (refusal !== null) this.#parts.env.trace.warn("peer refused", fields);
    else if (link.acceptedMs >= 0) this.#parts.env.trace.info("peer disconnected", fields);
    else this.#parts.env.trace.info("peer not reached", fields);
  }
}
