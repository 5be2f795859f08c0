// What a story does to one member's disk.
import { assert } from "@quorate/base";
import type { DiskOperation } from "../disk/disk-operation.ts";
import { diskTimingsDefault, type SimDisk } from "../sim-disk.ts";
import type { Timeline } from "./timeline.ts";

export class StoryDisk {
  readonly #disk: SimDisk;
  readonly #member: string;
  readonly #timeline: Timeline;

  constructor(disk: SimDisk, member: string, timeline: Timeline) {
    this.#disk = disk;
    this.#member = member;
    this.#timeline = timeline;
  }

  /** Every operation takes this many times as long. */
  slow(factor: number): void {
    this.#tell(`its disk is ${factor} times as slow`);
    const { timings } = this.#disk;
    timings.writeMinUs = diskTimingsDefault.writeMinUs * factor;
    timings.writeMaxUs = diskTimingsDefault.writeMaxUs * factor;
    timings.syncMinUs = diskTimingsDefault.syncMinUs * factor;
    timings.syncMaxUs = diskTimingsDefault.syncMaxUs * factor;
  }

  stall(ms: number): void {
    this.#tell(`its disk stalls for ${ms} ms`);
    this.#disk.stall(ms);
  }

  /** Operations of this kind on paths that hold the text fail; `times`: so many, then no more. */
  fail(operation: DiskOperation, part: string, code: string, times: number): void {
    this.#tell(`its disk answers ${code} to ${operation} of ${part}`);
    let left = times;
    this.#disk.fault = (kind, path) => {
      if (kind !== operation || !path.includes(part) || left === 0) return null;
      left--;
      return code;
    };
  }

  /** Turns one bit of a byte around, as any reader sees it. */
  flip(path: string, position: number): void {
    const bytes = this.#disk.cachedBytes(path);
    assert(bytes !== null && position < bytes.length, () => `no byte ${position} in ${path}`);
    this.#tell(`bit flip in ${path} at ${position}`);
    this.#disk.damage.rot(path, position, Uint8Array.of(bytes[position]! ^ 0x10));
  }

  mend(): void {
    this.#disk.fault = null;
    Object.assign(this.#disk.timings, diskTimingsDefault);
  }

  #tell(what: string): void {
    this.#timeline.tell(this.#member, what);
  }
}
