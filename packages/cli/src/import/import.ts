// `quorate import`: a snapshot of etcd becomes the data directories of a new cluster. All is written
// beside its place and renamed at the end, so that no member can be started on a part of it.
import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import { writeImported } from "@quorate/host";
import type { ImportedMember, ImportRows } from "@quorate/host";
import { backendRows, BoltDamage, memberIdOf, readBackend, SnapshotFile } from "@quorate/server";
import type { Backend } from "@quorate/server";
import { authProblem, leasesMax } from "@quorate/kv";
import type { ImportedAuth } from "@quorate/kv";
import type { Refusal } from "@quorate/storage";
import { CommandError, UsageError } from "../exit.ts";
import { OfflineDisk } from "../recover/stage.ts";
import { parseInitialCluster } from "../serve/cluster-list.ts";
import { placeFor, type Place } from "./place.ts";

export interface ImportOptions {
  readonly dataDir: string;
  /** Empty: in the data directory. */
  readonly walDir: string;
  readonly initialCluster: string;
  readonly skipAuth: boolean;
}

const damagedExitCode = 72;

export async function importSnapshot(path: string, options: ImportOptions): Promise<void> {
  const cluster = parseInitialCluster(options.initialCluster);
  checkNames([...cluster.keys()]);
  const data = placeFor(options.dataDir);
  const wal = options.walDir === "" ? null : placeFor(options.walDir);
  const file = opened(path);
  const found = checked(path, file);
  if (found === null) return;
  const backend = options.skipAuth ? { ...found, auth: noAuth } : found;
  refuseWhatIsTooMuch(path, backend);
  const clusterId = randomBytes(8).toString("hex");
  const members = [...cluster].map(([name, peerUrls]) => {
    const of = (place: Place): string =>
      cluster.size === 1 ? place.staged : join(place.staged, name);
    const walDirectory = wal === null ? null : of(wal);
    const memberId = memberIdOf(peerUrls, clusterId);
    return { memberId, name, peerUrls, directory: of(data), walDirectory };
  });
  const refusal = await write(clusterId, members, backend, file);
  file.close();
  if (refusal !== null) {
    data.discard();
    wal?.discard();
    if (refusal.exitCode !== damagedExitCode) throw new CommandError(refusal.reason);
    damaged(path, refusal.reason);
    return;
  }
  // The data directory last: before that there is nothing to start a member on.
  wal?.put();
  data.put();
  process.stdout.write(`${endOf(clusterId, members, data)}\n`);
}

function opened(path: string): SnapshotFile {
  try {
    return new SnapshotFile(path);
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Null: it is damaged, and that has been said. */
function checked(path: string, file: SnapshotFile): Backend | null {
  const { bytes, hasHash, isCut } = file;
  if (isCut) return damaged(path, `${bytes} bytes are neither a snapshot nor a file of etcd's`);
  if (hasHash && !file.isHashRight()) {
    return damaged(path, "its content is not what its SHA-256 says");
  }
  const backend = readBackend(file);
  if (backend instanceof BoltDamage) return damaged(path, backend.what);
  const { revision, compactRevision, rows, leases, auth, unknownBuckets } = backend;
  const compacted = compactRevision < 0 ? "never compacted" : `compacted at ${compactRevision}`;
  const lines = [
    `${path}: revision ${revision}, ${compacted}, ${rows} rows, ${count(leases.length, "lease")}, ` +
      `${count(auth.users.length, "user")}, ${count(auth.roles.length, "role")}`,
  ];
  if (auth.enabled) lines.push("Authentication is on.");
  lines.push(
    hasHash
      ? "Its SHA-256 is right."
      : "It has no SHA-256: damage inside of values would not be found.",
  );
  for (const name of unknownBuckets) lines.push(`Left out: bucket "${name}", which nobody knows.`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return backend;
}

function damaged(path: string, what: string): null {
  process.stderr.write(`quorate: ${path}: ${what}\n`);
  process.exitCode = damagedExitCode;
  return null;
}

/** Bounds that etcd does not have. */
function refuseWhatIsTooMuch(path: string, { leases, auth }: Backend): void {
  const problem =
    leases.length > leasesMax
      ? `${leases.length} leases; a cluster keeps ${leasesMax}`
      : authProblem(auth);
  if (problem !== null) throw new CommandError(`${path}: ${problem}`);
}

const noAuth: ImportedAuth = { enabled: false, revision: 1, users: [], roles: [] };

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

async function write(
  clusterId: string,
  members: readonly ImportedMember[],
  numbers: Backend,
  file: SnapshotFile,
): Promise<Refusal | null> {
  const disk = new OfflineDisk("import");
  const rows = (): ImportRows => {
    const from = backendRows(file);
    return {
      next: () => {
        const row = from.next();
        return row instanceof BoltDamage ? row.what : row;
      },
    };
  };
  const refusal = await new Promise<Refusal | null>((resolve) => {
    writeImported(disk.env, { clusterId, members, numbers, rows }, resolve);
  });
  disk.unlock();
  return refusal;
}

/** Of several members each has a folder of its name. */
function checkNames(names: readonly string[]): void {
  const bad = names.find((name) => basename(name) !== name || name === "." || name === "..");
  if (names.length > 1 && bad !== undefined) {
    throw new UsageError(`--initial-cluster: a member called "${bad}" cannot have a folder`);
  }
}

function endOf(clusterId: string, members: readonly ImportedMember[], data: Place): string {
  const lines = members.map(({ name, peerUrls }) => {
    const directory = members.length === 1 ? data.path : join(data.path, name);
    return (
      `  quorate serve --name ${name} --data-dir ${directory} ` +
      `--initial-advertise-peer-urls ${peerUrls.join(",")} …`
    );
  });
  const where = members.length === 1 ? "" : "; each directory on its member's machine";
  return [`Imported as cluster ${clusterId}. Start it with${where}`, ...lines].join("\n");
}
