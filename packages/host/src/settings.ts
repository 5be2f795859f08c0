// The replicated table of cluster settings (DESIGN.md 15): for now the feature level (P11) and the
// newest stamp of an applied entry, which a restarted or restored member must not go below.
import { ByteReader, ByteWriter, crc32c, readU32 } from "@quorate/base";
import type { ReplicatedTable } from "@quorate/kv";
import { EntryKind } from "@quorate/raft";
import type { Entry } from "@quorate/raft";
import { decodeSuperseded, encodeSuperseded } from "./recover/recovered-entry.ts";
import type { SupersededCluster } from "./recover/recovered-entry.ts";

/** 2: ids of clusters that this one has superseded; 3: all about them. */
const tableFormat = 3;
const formatOfIds = 2;
const formatWithoutSuperseded = 1;
const formats = [formatWithoutSuperseded, formatOfIds, tableFormat];
const supersededMax = 64;
/** Without superseded clusters: a byte and three varints. */
const snapshotBytes = 32;

export class SettingsTable implements ReplicatedTable {
  readonly name: string;
  readonly #levelFirst: number;
  #level: number;
  #wallMs: number;
  #superseded: readonly SupersededCluster[];

  /** `levelFirst`: the level of a cluster from its genesis on. */
  constructor(levelFirst: number) {
    this.name = "settings";
    this.#levelFirst = levelFirst;
    this.#level = levelFirst;
    this.#wallMs = 0;
    this.#superseded = [];
  }

  /** Feature level of the entry after the last applied one. */
  get level(): number {
    return this.#level;
  }

  get wallMs(): number {
    return this.#wallMs;
  }

  /** The clusters of which this one is what a recovery has left, oldest first. */
  get superseded(): readonly SupersededCluster[] {
    return this.#superseded;
  }

  supersede(cluster: SupersededCluster): void {
    this.#superseded = [...this.#superseded, cluster].slice(-supersededMax);
  }

  onApplied(entry: Entry): void {
    this.#wallMs = Math.max(this.#wallMs, entry.wallMs);
    if (entry.kind === EntryKind.Level) {
      this.#level = readU32(entry.payload, 0);
    }
  }

  digest(): { readonly low: number; readonly high: number } {
    const bytes = this.snapshot();
    return { low: crc32c(bytes), high: crc32c(bytes, 0, bytes.length, 0x5bd1e995) };
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(snapshotBytes);
    writer.u8(tableFormat);
    writer.varint(this.#level);
    writer.varint(this.#wallMs);
    writer.varint(this.#superseded.length);
    for (const cluster of this.#superseded) encodeSuperseded(writer, cluster);
    return writer.take();
  }

  restore(bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    const format = reader.u8();
    const level = reader.varint();
    const wallMs = reader.varint();
    const count = format === formatWithoutSuperseded ? 0 : reader.varint();
    if (count > supersededMax) reader.fail();
    const superseded: SupersededCluster[] = [];
    for (let left = count; left > 0 && reader.ok; left -= 1) {
      superseded.push(format === formatOfIds ? idOnly(reader.text()) : decodeSuperseded(reader));
    }
    if (!formats.includes(format) || !reader.ok || !reader.done) {
      return false;
    }
    this.#level = level;
    this.#wallMs = wallMs;
    this.#superseded = superseded;
    return true;
  }

  clear(): void {
    this.#level = this.#levelFirst;
    this.#wallMs = 0;
    this.#superseded = [];
  }
}

function idOnly(clusterId: string): SupersededCluster {
  return { clusterId, genesisId: 0, planId: "", atMs: 0, addresses: [] };
}
