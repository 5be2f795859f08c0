// One node of a Patroni cluster: Debian's patroni and the PostgreSQL that it runs, with Quorate in the
// place of its etcd. PostgreSQL refuses to run as root, so both run as another user there.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainEnvironment } from "../processes/entry.ts";
import type { Ended } from "../processes/entry.ts";

const patroni = "/usr/bin/patroni";
const patronictl = "/usr/bin/patronictl";
const binaries = "/usr/lib/postgresql/15/bin";

/** Why it cannot be run here; null: it can. */
export function patroniMissing(): string | null {
  if (!existsSync(patroni)) return "patroni is not installed";
  if (!existsSync(join(binaries, "postgres"))) return "postgresql-15 is not installed";
  return null;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Who owns the files and runs the processes: not root. */
function ownerOf(): Owner {
  const own = { uid: process.getuid!(), gid: process.getgid!() };
  if (own.uid !== 0) return own;
  for (const name of ["postgres", "nobody"]) {
    const { status, stdout } = spawnSync("id", [name], { encoding: "utf8" });
    const found = /uid=(\d+).*? gid=(\d+)/.exec(stdout);
    if (status === 0 && found !== null) return { uid: Number(found[1]), gid: Number(found[2]) };
  }
  throw new Error("neither a user postgres nor nobody");
}

const owner = ownerOf();

/** A folder that the node's processes may write to. */
export function ownedFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  spawnSync("chown", [`${owner.uid}:${owner.gid}`, path]);
}

export interface PatroniPlace {
  readonly name: string;
  /** Of the folder that is the node's alone. */
  readonly folder: string;
  readonly restPort: number;
  readonly postgresPort: number;
  /** "127.0.0.1:port" of the members of the store. */
  readonly hosts: readonly string[];
}

/** Short, so that a dead leader is missed within seconds; ttl ≥ loop_wait + 2 × retry_timeout. */
export const ttlSeconds = 8;
const pace = `ttl: ${ttlSeconds}\n    loop_wait: 1\n    retry_timeout: 3`;

/** Of what it says of itself. */
export interface PatroniState {
  readonly role: string;
  readonly state: string;
  readonly timeline: number;
  /** When it last heard of its store, in seconds since 1970. */
  readonly dcs_last_seen: number;
}

function configurationOf(place: PatroniPlace): string {
  const { name, folder, restPort, postgresPort, hosts } = place;
  return `scope: quorate
name: ${name}
restapi:
  listen: 127.0.0.1:${restPort}
  connect_address: 127.0.0.1:${restPort}
etcd3:
  hosts: ${hosts.join(",")}
watchdog:
  mode: "off"
bootstrap:
  dcs:
    ${pace}
    maximum_lag_on_failover: 1048576
    postgresql:
      use_pg_rewind: true
      parameters:
        wal_log_hints: "on"
  initdb:
  - encoding: UTF8
  - locale: C
  pg_hba:
  - host replication replicator 127.0.0.1/32 md5
  - host all all 127.0.0.1/32 md5
postgresql:
  listen: 127.0.0.1:${postgresPort}
  connect_address: 127.0.0.1:${postgresPort}
  data_dir: ${join(folder, "data")}
  bin_dir: ${binaries}
  pgpass: ${join(folder, "pgpass")}
  authentication:
    superuser:
      username: postgres
      password: super
    replication:
      username: replicator
      password: replica
  parameters:
    unix_socket_directories: ${folder}
    shared_buffers: 16MB
    # Nothing here outlives the test, and the disk is others' too.
    fsync: "off"
`;
}

export class PatroniNode {
  readonly name: string;
  readonly #place: PatroniPlace;
  readonly #configuration: string;
  readonly #log: string[];
  #child: ChildProcess | null;

  constructor(place: PatroniPlace) {
    this.name = place.name;
    this.#place = place;
    this.#configuration = join(place.folder, "patroni.yml");
    this.#log = [];
    this.#child = null;
    ownedFolder(place.folder);
    writeFileSync(this.#configuration, configurationOf(place), { mode: 0o644 });
  }

  start(): void {
    const child = spawn(patroni, [this.#configuration], {
      ...owner,
      cwd: this.#place.folder,
      env: { ...plainEnvironment(), HOME: this.#place.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => this.#log.push(text));
    }
  }

  /** kill -9 of Patroni alone; its PostgreSQL goes on. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const end = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGKILL");
    await end;
  }

  /** PostgreSQL alone, at once. */
  stopPostgres(): void {
    const data = join(this.#place.folder, "data");
    if (!existsSync(join(data, "postmaster.pid"))) return;
    const stop = ["stop", "-D", data, "-m", "immediate", "-w"];
    spawnSync(join(binaries, "pg_ctl"), stop, { ...owner, cwd: this.#place.folder });
  }

  /** What it says of itself; null: nothing. */
  async state(): Promise<PatroniState | null> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#place.restPort}/patroni`);
      return (await answer.json()) as PatroniState;
    } catch {
      return null;
    }
  }

  /** As load balancers ask: 200 from the leader alone. */
  async leads(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.#place.restPort}/leader`)).status === 200;
    } catch {
      return false;
    }
  }

  /** One statement, its rows as text; null when it is refused. */
  sql(statement: string): string | null {
    const { postgresPort, folder } = this.#place;
    const to = `host=127.0.0.1 port=${postgresPort} user=postgres password=super dbname=postgres`;
    const { status, stdout } = spawnSync("psql", ["-X", "-A", "-t", to, "-c", statement], {
      encoding: "utf8",
      cwd: folder,
      env: { ...plainEnvironment(), HOME: folder },
    });
    return status === 0 ? stdout.trim() : null;
  }

  ctl(...argv: readonly string[]): Ended {
    const { status, stdout, stderr } = spawnSync(patronictl, ["-c", this.#configuration, ...argv], {
      encoding: "utf8",
      // It formats with the terminal's encoding.
      env: { ...plainEnvironment(), HOME: this.#place.folder, LC_ALL: "C.UTF-8" },
    });
    return { code: status, stdout, stderr };
  }

  get log(): string {
    return this.#log.join("");
  }

  async close(): Promise<void> {
    await this.kill();
    this.stopPostgres();
  }
}
