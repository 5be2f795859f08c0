// The events of a World, the next one first: by (time, tie-break, order of asking). A heap of its own,
// four wide and with the comparison in its loops, because every event of every run passes through it.
// Cancelled events stay in it until they come up.

export class WorldEvent {
  readonly atUs: number;
  readonly tieBreak: number;
  readonly sequence: number;
  /** Null: cancelled or done. */
  run: (() => void) | null;

  constructor(atUs: number, tieBreak: number, sequence: number, run: () => void) {
    this.atUs = atUs;
    this.tieBreak = tieBreak;
    this.sequence = sequence;
    this.run = run;
  }
}

const width = 4;

export class EventQueue {
  readonly #events: WorldEvent[];

  constructor() {
    this.#events = [];
  }

  push(event: WorldEvent): void {
    const events = this.#events;
    let place = events.length;
    events.push(event);
    while (place > 0) {
      const above = (place - 1) >> 2;
      const parent = events[above]!;
      if (!isBefore(event, parent)) break;
      events[place] = parent;
      place = above;
    }
    events[place] = event;
  }

  /** The next that is not cancelled; null: none. */
  peek(): WorldEvent | null {
    const events = this.#events;
    while (events.length > 0) {
      const first = events[0]!;
      if (first.run !== null) return first;
      this.drop();
    }
    return null;
  }

  /** Takes out the first, cancelled or not. */
  drop(): void {
    const events = this.#events;
    const last = events.pop();
    const size = events.length;
    if (last === undefined || size === 0) return;
    let place = 0;
    for (;;) {
      const first = width * place + 1;
      if (first >= size) break;
      const end = Math.min(first + width, size);
      let below = first;
      let least = events[first]!;
      for (let at = first + 1; at < end; at++) {
        const child = events[at]!;
        if (!isBefore(child, least)) continue;
        least = child;
        below = at;
      }
      if (!isBefore(least, last)) break;
      events[place] = least;
      place = below;
    }
    events[place] = last;
  }
}

function isBefore(a: WorldEvent, b: WorldEvent): boolean {
  if (a.atUs !== b.atUs) return a.atUs < b.atUs;
  if (a.tieBreak !== b.tieBreak) return a.tieBreak < b.tieBreak;
  return a.sequence < b.sequence;
}
