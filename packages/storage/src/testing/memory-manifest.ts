// A manifest for tests of what stands beside it: every generation becomes durable in one step of the
// memory disk, so that crashes come before and after it. The real one keeps two copies in files.
import type { ManifestApi, ManifestState } from "../manifest/manifest-api.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** What survives the process. */
export interface ManifestMedium {
  state: ManifestState;
}

export function emptyManifest(): ManifestMedium {
  return { state: { generation: 0, walSegments: [], rowSegments: [], checkpoint: null } };
}

export class MemoryManifest implements ManifestApi {
  state: ManifestState;
  #medium: ManifestMedium;
  #disk: MemoryDisk;
  #waiting: { edit: (state: ManifestState) => ManifestState; done: () => void }[];
  #busy: boolean;

  constructor(medium: ManifestMedium, disk: MemoryDisk) {
    this.state = medium.state;
    this.#medium = medium;
    this.#disk = disk;
    this.#waiting = [];
    this.#busy = false;
  }

  change(edit: (state: ManifestState) => ManifestState, done: () => void): void {
    this.#waiting.push({ edit, done });
    if (!this.#busy) this.#writeNext();
  }

  #writeNext(): void {
    const changes = this.#waiting;
    this.#waiting = [];
    let next = this.state;
    for (const { edit } of changes) next = edit(next);
    next = { ...next, generation: this.state.generation + 1 };
    this.#busy = true;
    const apply = (): void => {
      this.#medium.state = next;
    };
    this.#disk.submit("manifest", apply, () => {
      this.state = next;
      this.#busy = false;
      if (this.#waiting.length > 0) this.#writeNext();
      for (const { done } of changes) done();
    });
  }
}
