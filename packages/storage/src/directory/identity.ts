// Who a data directory belongs to and what it has promised before Raft: format version, ids, boot
// count, genesis. Pure codec and rules; open-directory.ts reads and writes the files.
import { assert, ByteReader, ByteWriter, fromHex, must, toHex } from "@quorate/base";
import { ExitCode } from "../env.ts";
import type { Random } from "../env.ts";
import { GenesisState } from "../storage-api.ts";
import type { DirectoryOptions, Refusal } from "../storage-api.ts";
import { RecordFile } from "./record-file.ts";

export const identityName = "IDENTITY";

/** Of the whole directory: a binary refuses a directory of a newer one (75). */
export const directoryFormat = 1;

const idBytes = 8;

/** Raft ids are drawn below this (DESIGN.md 4); 0 means nobody. */
const raftIdLimit = 2 ** 52;

export function drawRaftId(random: Random): number {
  return 1 + random.below(raftIdLimit - 1);
}

const madeFlag = 1;
const regressedFlag = 2;
const supersededFlag = 4;
const recoveredFlag = 8;
const diskFailsFlag = 16;
const flagsMax = 31;
/** Of the text that says by what a directory is superseded. */
const supersededByBytesMax = 1024;

export class Identity {
  readonly clusterId: string;
  readonly memberId: string;
  readonly raftId: number;
  /** Starts of a process on this directory, from 1. */
  readonly bootCount: number;
  /** Highest feature level that was ever in force here. */
  readonly level: number;
  readonly genesisState: GenesisState;
  readonly genesis: Uint8Array;
  /**
   * A manifest was made: from then on a directory without one is damaged, not new. Otherwise a
   * member whose files were deleted would come back without its promises under the same raft id.
   */
  readonly storageMade: boolean;
  /** A peer knows a later start: an older copy of the directory, which must not speak again (P4). */
  readonly regressed: boolean;
  /**
   * Not empty: its cluster was recovered without it, and by what: a tombstone, it never speaks again
   * (reliability.md §4.4).
   */
  readonly supersededBy: string;
  /** Made by a recovery: its ids are its own, whatever the flags of its member say. */
  readonly recovered: boolean;
  /** What is written here is damaged again and again: it takes nothing more (reliability.md §3.7). */
  readonly diskFails: boolean;

  constructor(
    clusterId: string,
    memberId: string,
    raftId: number,
    bootCount: number,
    level: number,
    genesisState: GenesisState,
    genesis: Uint8Array,
    storageMade: boolean,
    regressed: boolean,
    supersededBy: string,
    recovered: boolean,
    diskFails: boolean = false,
  ) {
    this.clusterId = clusterId;
    this.memberId = memberId;
    this.raftId = raftId;
    this.bootCount = bootCount;
    this.level = level;
    this.genesisState = genesisState;
    this.genesis = genesis;
    this.storageMade = storageMade;
    this.regressed = regressed;
    this.supersededBy = supersededBy;
    this.recovered = recovered;
    this.diskFails = diskFails;
  }

  /** A copy that differs in these. */
  #with(changes: Partial<Identity>): Identity {
    return new Identity(
      changes.clusterId ?? this.clusterId,
      changes.memberId ?? this.memberId,
      changes.raftId ?? this.raftId,
      changes.bootCount ?? this.bootCount,
      changes.level ?? this.level,
      changes.genesisState ?? this.genesisState,
      changes.genesis ?? this.genesis,
      changes.storageMade ?? this.storageMade,
      changes.regressed ?? this.regressed,
      changes.supersededBy ?? this.supersededBy,
      changes.recovered ?? this.recovered,
      changes.diskFails ?? this.diskFails,
    );
  }

  withBootCount(bootCount: number): Identity {
    return this.#with({ bootCount });
  }

  withGenesis(genesisState: GenesisState, genesis: Uint8Array): Identity {
    return this.#with({ genesisState, genesis });
  }

  withStorageMade(): Identity {
    return this.#with({ storageMade: true });
  }

  withRegressed(): Identity {
    return this.#with({ regressed: true });
  }

  withDiskFails(): Identity {
    return this.#with({ diskFails: true });
  }

  /** Empty: the tombstone is taken away. */
  withSupersededBy(supersededBy: string): Identity {
    return this.#with({ supersededBy: supersededBy.slice(0, supersededByBytesMax / 4) });
  }
}

/** An etcd id: 16 hex digits, any case, as 8 bytes. */
export function idToBytes(id: string): Uint8Array {
  const bytes = must(fromHex(id), "an id is hexadecimal");
  assert(bytes.length === idBytes, "an id has 16 hex digits");
  return bytes;
}

export function idFromBytes(bytes: Uint8Array): string {
  return toHex(bytes);
}

export function encodeIdentity(identity: Identity, generation: number): RecordFile {
  const writer = new ByteWriter();
  writer.bytes(idToBytes(identity.clusterId));
  writer.bytes(idToBytes(identity.memberId));
  writer.u64(identity.raftId);
  writer.u64(identity.bootCount);
  writer.u32(identity.level);
  writer.u8(identity.genesisState);
  writer.u8(flagsOf(identity));
  writer.lengthBytes(identity.genesis);
  if (identity.supersededBy !== "") writer.text(identity.supersededBy);
  return new RecordFile(directoryFormat, generation, writer.take());
}

function flagsOf(identity: Identity): number {
  const { storageMade, regressed, supersededBy, recovered, diskFails } = identity;
  return (
    (storageMade ? madeFlag : 0) |
    (regressed ? regressedFlag : 0) |
    (supersededBy === "" ? 0 : supersededFlag) |
    (recovered ? recoveredFlag : 0) |
    (diskFails ? diskFailsFlag : 0)
  );
}

/** Null: not an identity of this format, although its CRC holds. */
export function decodeIdentity(body: Uint8Array): Identity | null {
  const reader = new ByteReader(body);
  const clusterId = idFromBytes(reader.bytes(idBytes));
  const memberId = idFromBytes(reader.bytes(idBytes));
  const raftId = reader.u64();
  const bootCount = reader.u64();
  const level = reader.u32();
  const genesisState = reader.u8();
  const flags = reader.u8();
  const genesis = reader.lengthBytes().slice();
  const supersededBy = (flags & supersededFlag) === 0 ? "" : reader.text();
  const known = genesisState <= GenesisState.Joined && flags <= flagsMax;
  if (!reader.ok || reader.remaining > 0 || !known || raftId === 0) return null;
  return new Identity(
    clusterId,
    memberId,
    raftId,
    bootCount,
    level,
    genesisState as GenesisState,
    genesis,
    (flags & madeFlag) !== 0,
    (flags & regressedFlag) !== 0,
    supersededBy,
    (flags & recoveredFlag) !== 0,
    (flags & diskFailsFlag) !== 0,
  );
}

/** Why this process must not use a directory with this identity; null: it may. */
export function refuseIdentity(identity: Identity, options: DirectoryOptions): Refusal | null {
  const directory = options.directory;
  const clusterId = options.clusterId.toLowerCase();
  const memberId = options.memberId.toLowerCase();
  if (identity.supersededBy !== "") return supersededRefusal(directory, identity.supersededBy);
  if (identity.clusterId !== clusterId) {
    return foreign(
      `data directory ${directory} belongs to cluster ${identity.clusterId}, ` +
        `this member is of cluster ${clusterId}: check --data-dir, --initial-cluster and its token`,
    );
  }
  if (identity.memberId !== memberId) {
    return foreign(
      `data directory ${directory} belongs to member ${identity.memberId}, ` +
        `this is member ${memberId}: check --data-dir, --name and --initial-cluster`,
    );
  }
  if (identity.diskFails) {
    return {
      ok: false,
      exitCode: ExitCode.Damaged,
      reason:
        `data directory ${directory}: its disk has damaged what this member was sent as soon as it was ` +
        "written, again and again: replace it and start this member with an empty directory",
    };
  }
  if (identity.regressed) {
    return {
      ok: false,
      exitCode: ExitCode.Damaged,
      reason:
        `data directory ${directory} is an older copy: a peer has met a later start of this ` +
        "member; what it has promised since is not in it",
      // It was a peer that said so.
      rejoins: { tables: [], peers: 1 },
    };
  }
  if (identity.level > options.levelMax) {
    return foreign(
      `data directory ${directory} is of feature level ${identity.level}, ` +
        `this binary knows levels up to ${options.levelMax}: start a newer one`,
    );
  }
  return null;
}

/** What a member with a tombstone in its directory is told. */
export function supersededRefusal(directory: string, supersededBy: string): Refusal {
  return {
    ok: false,
    exitCode: ExitCode.Superseded,
    reason:
      `data directory ${directory} is superseded: ${supersededBy}; it is kept, and of no use to any ` +
      "cluster any more: start this member with an empty directory to join",
  };
}

function foreign(reason: string): Refusal {
  return { ok: false, exitCode: ExitCode.Foreign, reason };
}
