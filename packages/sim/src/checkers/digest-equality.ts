// S16: members that have applied the same index have the same live digest and the same apply digest.
import { demand } from "./violation.ts";

const property = "S16 digest equality";

export interface DigestPair {
  readonly liveLow: number;
  readonly liveHigh: number;
  readonly applyLow: number;
  readonly applyHigh: number;
}

export class DigestEquality {
  /** Applied index → digests and who showed them first. */
  readonly #points: Map<number, { readonly pair: DigestPair; readonly member: string }>;

  constructor() {
    this.#points = new Map();
  }

  seen(member: string, applied: number, pair: DigestPair): void {
    const known = this.#points.get(applied);
    if (known === undefined) {
      this.#points.set(applied, { pair, member });
      return;
    }
    demand(
      known.pair.liveLow === pair.liveLow && known.pair.liveHigh === pair.liveHigh,
      property,
      () => `live digests of ${known.member} and ${member} differ at ${applied}`,
    );
    demand(
      known.pair.applyLow === pair.applyLow && known.pair.applyHigh === pair.applyHigh,
      property,
      () => `apply digests of ${known.member} and ${member} differ at ${applied}`,
    );
  }

  get pointCount(): number {
    return this.#points.size;
  }
}
