// The checkpoint of a directory whose member is stopped, read as a snapshot for members of another
// cluster: the rows byte for byte, but for the cluster id in the header of each segment, and tables
// that the caller gives. Reads only. Every byte that it gives was checked by `inspectRows` before.
import { assert, crc32c } from "@quorate/base";
import { encodeTables } from "../checkpoint/tables-file.ts";
import { DiskError } from "../env.ts";
import type { InspectedDirectory } from "../inspect/inspect-directory.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SegmentHeader,
  segmentHeaderBytes,
} from "../rows/segment-header.ts";
import type { CheckpointInfo, SnapshotFile } from "../storage-api.ts";

export class RebrandedCheckpoint {
  readonly info: CheckpointInfo;
  /** Row segments in order, then the tables. */
  readonly files: readonly SnapshotFile[];
  readonly #inspected: InspectedDirectory;
  readonly #clusterId: string;
  readonly #tables: Uint8Array;

  constructor(inspected: InspectedDirectory, clusterId: string, info: CheckpointInfo) {
    this.info = info;
    this.#inspected = inspected;
    this.#clusterId = clusterId;
    this.#tables = encodeTables(info);
    const { rowSegments } = inspected.manifest;
    const rows = rowSegments.map(({ name, bytes }, at) => {
      return { name, bytes, crc: crc32c(this.#segment(at)) };
    });
    const tables = { name: "tables", bytes: this.#tables.length, crc: crc32c(this.#tables) };
    this.files = [...rows, tables];
  }

  /** All of a file: a segment is at most as large as the directory's settings made it. */
  read(file: number): Uint8Array {
    return file === this.files.length - 1 ? this.#tables : this.#segment(file);
  }

  #segment(at: number): Uint8Array {
    const { disk, directory, manifest } = this.#inspected;
    const { name, bytes: length } = manifest.rowSegments[at]!;
    const file = disk.openNow(`${directory}/${name}`, false);
    assert(!(file instanceof DiskError), () => `${directory}/${name}: cannot be opened any more`);
    const bytes = new Uint8Array(length);
    const read = file.readNow(0, bytes);
    file.close();
    assert(read === length, () => `${directory}/${name}: cannot be read any more`);
    const header = decodeSegmentHeader(bytes);
    assert(typeof header !== "string", () => `${directory}/${name} has changed since it was read`);
    const { originRaftId, nonce, firstMain } = header;
    const branded = new SegmentHeader(this.#clusterId, originRaftId, nonce, firstMain);
    encodeSegmentHeader(branded, bytes.subarray(0, segmentHeaderBytes));
    return bytes;
  }
}
