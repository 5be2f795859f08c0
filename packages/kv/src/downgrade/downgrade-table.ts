// The replicated downgrade (etcd's DowngradeInfo): to which version, if to any. Changed by apply alone,
// where two that ask at once are told apart. It changes nothing of what members do: which version they
// speak is theirs (--compat-version), and one by one theirs to lower.
import { ByteReader, ByteWriter, crc32c } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import type { ReplicatedTable } from "../table.ts";
import { isTarget } from "./downgrade-command.ts";
import type { DowngradeCommand } from "./downgrade-command.ts";

export class DowngradeTable implements ReplicatedTable {
  readonly name: string;
  #target: string;

  constructor() {
    this.name = "downgrade";
    this.#target = "";
  }

  /** Empty: none was ever enabled, or the last one was cancelled. */
  get target(): string {
    return this.#target;
  }

  apply({ target, clusterVersion }: DowngradeCommand): KvError {
    const inFlight = isInFlight(this.#target, clusterVersion);
    if (target === "" && !inFlight) return KvError.NoDowngrade;
    if (target !== "" && inFlight) return KvError.DowngradeInFlight;
    this.#target = target;
    return KvError.None;
  }

  /** Zero without one: states from before there were any keep their digest. */
  digest(): { readonly low: number; readonly high: number } {
    if (this.#target === "") return { low: 0, high: 0 };
    const bytes = this.snapshot();
    return { low: crc32c(bytes), high: crc32c(bytes, 0, bytes.length, 0x5bd1e995) };
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter();
    writer.text(this.#target);
    return writer.take();
  }

  restore(bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    const target = reader.text();
    if (!reader.ok || !reader.done || !isTarget(target)) return false;
    this.#target = target;
    return true;
  }

  clear(): void {
    this.#target = "";
  }
}

/** One whose target the cluster has reached is over. */
export function isInFlight(target: string, clusterVersion: string): boolean {
  return target !== "" && target !== clusterVersion;
}
