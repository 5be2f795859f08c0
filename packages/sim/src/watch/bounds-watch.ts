// Looks now and then at everything in a running member that has a bound (checkers/bounds.ts).
import { journalEventsMax } from "@quorate/host/internal";
import { Role } from "@quorate/raft";
import { type Bounded, checkBounds } from "../checkers/bounds.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** Of so many events of a process one is followed by a look: a status costs more than an event. */
const lookEvery = 256;

export class BoundsWatch {
  #events: number;

  constructor() {
    this.#events = 0;
  }

  look(watched: WatchedProcess): void {
    if (++this.#events % lookEvery !== 0) return;
    checkBounds(watched.incarnation.name, [...ofCore(watched), ...ofHost(watched)]);
  }
}

function ofCore({ core }: WatchedProcess): Bounded[] {
  const { state, config } = core;
  if (state.role !== Role.Leader) return [];
  const { uncommittedBytesMax, proposalBytesMax, pendingReadsMax } = config;
  // One proposal and one message may reach over their bounds, so that large ones can go at all.
  const uncommittedMax = uncommittedBytesMax + proposalBytesMax;
  const windowMax = config.inflightBytesMax + Math.max(config.messageBytesMax, proposalBytesMax);
  return [
    { what: "uncommitted bytes", is: state.uncommittedBytes, max: uncommittedMax },
    { what: "pending reads", is: state.reads.count, max: pendingReadsMax },
    ...state.tracker.all.flatMap(({ id, inflights }) => [
      { what: `appends in flight to ${id}`, is: inflights.count, max: config.inflightMessagesMax },
      { what: `bytes in flight to ${id}`, is: inflights.bytes, max: windowMax },
    ]),
  ];
}

function ofHost({ member }: WatchedProcess): Bounded[] {
  const { host, config } = member;
  if (host === null) return [];
  // Writes and reads have the bound each.
  return [
    { what: "requests in flight", is: host.status().requestsInFlight, max: 2 * config.requestsMax },
    { what: "events in the journal", is: host.journal().length, max: journalEventsMax },
  ];
}
