// P1: a cluster has one started genesis for ever. A member that starts another, or a second history
// under the same cluster id, breaks it.
import { equalBytes, toHex } from "@quorate/base";
import { demand } from "./violation.ts";

const property = "P1 one genesis";

export class OneGenesis {
  #genesis: Uint8Array | null;
  #founder: string;

  constructor() {
    this.#genesis = null;
    this.#founder = "";
  }

  /** A member's disk says that this genesis is started. */
  started(member: string, genesis: Uint8Array): void {
    if (this.#genesis === null) {
      this.#genesis = genesis.slice();
      this.#founder = member;
      return;
    }
    const known = this.#genesis;
    demand(
      equalBytes(known, genesis),
      property,
      () => `${this.#founder} started ${toHex(known)}, ${member} started ${toHex(genesis)}`,
    );
  }

  get isStarted(): boolean {
    return this.#genesis !== null;
  }
}
