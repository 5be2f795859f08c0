// Evidence that another member's process is dead (P6): the link that carried its control traffic
// ended, and the own next dial to it was refused at every address. A time-out, a reset after the
// connect, a failed hello, a process that said it stops: none is evidence. But a reset is no sign of
// life either: a kernel that takes a killed process down still completes connects for a moment and
// resets them, so the dial after that one is waited for, a few times.
import { assert } from "@quorate/base";
import { LinkEnd } from "@quorate/storage";
import { LinkClass } from "./hello.ts";
import type { Peer } from "./peer.ts";
import type { PeerLink } from "./peer-link.ts";
import type { Remote } from "./remote.ts";

export const GoneStep = {
  /** Nothing to do. */
  None: 1,
  /** Find out now: dial without waiting. */
  Dial: 2,
  /** The process is gone. */
  Gone: 3,
} as const;
export type GoneStep = (typeof GoneStep)[keyof typeof GoneStep];

/**
 * The link on which its control traffic came ended; or the own control link to it did, while it has
 * none here: what carried its traffic ended before, and its process was heard in between.
 */
export function controlTrafficEnded(
  remote: Remote,
  link: PeerLink,
  end: LinkEnd,
  stamp: number,
): GoneStep {
  if (!isEndedByPeer(link, end)) return GoneStep.None;
  remote.suspect(stamp);
  return GoneStep.Dial;
}

/** The own control link ended, while its control traffic comes on another one. */
export function ownLinkEnded(remote: Remote, link: PeerLink, end: LinkEnd, stamp: number): void {
  if (isEndedByPeer(link, end)) remote.ownLinkEnded(stamp);
}

function isEndedByPeer(link: PeerLink, end: LinkEnd): boolean {
  assert(link.linkClass === LinkClass.Control, "not a link of control traffic");
  return (end === LinkEnd.Closed || end === LinkEnd.Failed) && !link.saidBye;
}

/** A control link dialled to the member of a suspected process ended, in whatever state. */
export function dialEnded(remote: Remote, peer: Peer, link: PeerLink, end: LinkEnd): GoneStep {
  if (!remote.suspected) return GoneStep.None;
  // Dialled while both links stood: says nothing about now.
  if (!remote.isProbe(link.stamp)) return GoneStep.Dial;
  if (end !== LinkEnd.Refused) {
    const isReset = (end === LinkEnd.Failed || end === LinkEnd.Closed) && link.hello === null;
    if (!isReset || !remote.wasReset()) remote.unsuspect();
    return GoneStep.None;
  }
  if (!remote.refused(peer.addresses.length)) return GoneStep.Dial;
  remote.unsuspect();
  return GoneStep.Gone;
}
