// A data directory is taken only when it is this member's, and one that is refused is left exactly as
// it was. Over the simulator's disk, which knows directories, locks and other processes.
import test from "node:test";
import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert";
import { assert, latin1Encode } from "@quorate/base";
import type { DirectoryCopy } from "@quorate/sim";
import { DiskOperation, SimDisk, SimNetwork, SimProcess, UnsyncedFate, World } from "@quorate/sim";
import type { Disk, Env } from "../env.ts";
import { GenesisState } from "../storage-api.ts";
import type { DataDirectory, DirectoryOptions, Refusal } from "../storage-api.ts";
import { encodeIdentity, Identity } from "./identity.ts";
import { openDirectory } from "./open-directory.ts";
import { ownerNow } from "./owner.ts";
import { encodeRecordFile, Magic, RecordFile } from "./record-file.ts";

const options: DirectoryOptions = {
  directory: "/var/lib/m1",
  walDirectory: null,
  clusterId: "00000000000000C1",
  memberId: "00000000000000a1",
  levelMax: 3,
};

class Machine {
  readonly world: World;
  readonly disk: SimDisk;
  readonly #network: SimNetwork;
  #processes: number;

  constructor(seed: number) {
    this.world = new World(seed);
    this.disk = new SimDisk(this.world, this.world.random("disk"), "m1");
    this.#network = new SimNetwork(this.world, this.world.random("network"));
    this.#network.addMachine("m1", ["m1:1"]);
    this.#processes = 0;
  }

  start(): SimProcess {
    const name = `p${++this.#processes}`;
    const { world, disk } = this;
    const random = world.random(name);
    const clock = { monotonicMs: () => world.nowMs, wallMs: () => world.nowMs };
    return new SimProcess(
      name,
      { world, network: this.#network, disk, clock, random, machine: "m1" },
      { crashPlan: null, onMark: () => {}, onEnd: () => {} },
    );
  }

  open(process: SimProcess, with_: Partial<DirectoryOptions> = {}): DataDirectory | Refusal {
    const outcomes: (DataDirectory | Refusal)[] = [];
    process.run(() => {
      openDirectory(process, { ...options, ...with_ }, (outcome) => {
        outcomes.push(outcome.ok ? outcome.directory : outcome);
      });
      equal(outcomes.length, 0, "the outcome never comes inside the call");
    });
    this.settle();
    equal(outcomes.length, 1, process.failure?.stack ?? process.reason);
    return outcomes[0]!;
  }

  settle(): void {
    while (this.world.step()) {
      // Until nothing is due.
    }
  }

  /** What an operator sees, directories and all. */
  tree(): DirectoryCopy | null {
    return this.disk.nodeAt("/var") === null ? null : this.disk.copyDirectory("/var");
  }

  put(path: string, bytes: Uint8Array): void {
    const process = this.start();
    process.run(() => {
      process.disk.makeDirectoryNow(path.slice(0, path.lastIndexOf("/")));
      const file = process.disk.openNow(path, process.disk.sizeNow(path) === null);
      assert("write" in file, "the file opens");
      file.write(0, bytes, () => file.close());
    });
    this.settle();
    this.disk.kill(process);
  }

  genesis(process: SimProcess, directory: DataDirectory, state: GenesisState, text: string): void {
    let written = false;
    process.run(() => directory.writeGenesis(state, latin1Encode(text), () => (written = true)));
    this.settle();
    ok(written);
  }
}

function opened(outcome: DataDirectory | Refusal): DataDirectory {
  if ("ok" in outcome) throw new Error(`refused with ${outcome.exitCode}: ${outcome.reason}`);
  return outcome;
}

/** Refused with this code and a line like this, and nothing at all was changed. */
function refused(
  machine: Machine,
  exitCode: number,
  reason: RegExp,
  with_: Partial<DirectoryOptions> = {},
): void {
  const before = machine.tree();
  const process = machine.start();
  const outcome = machine.open(process, with_);
  ok("ok" in outcome, "the directory is refused");
  equal(outcome.exitCode, exitCode, outcome.reason);
  match(outcome.reason, reason);
  ok(!outcome.reason.includes("\n"), "one line");
  deepEqual(machine.tree(), before);
  machine.disk.kill(process);
}

/** A directory that a member has used and left. */
function used(seed: number): Machine {
  const machine = new Machine(seed);
  const process = machine.start();
  opened(machine.open(process));
  machine.disk.kill(process);
  return machine;
}

test("a new directory is made, with those above it, and survives a power loss at once", () => {
  const machine = new Machine(1);
  const first = machine.start();
  const directory = opened(machine.open(first, { directory: "/var/lib/m1/" }));
  equal(directory.fresh, true);
  equal(directory.bootCount, 1);
  equal(directory.genesisState, GenesisState.None);
  equal(directory.genesis.length, 0);
  ok(directory.raftId >= 1 && directory.raftId < 2 ** 52);
  machine.disk.kill(first);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  const again = opened(machine.open(machine.start()));
  equal(again.raftId, directory.raftId);
  equal(again.bootCount, 2);
  equal(again.fresh, false);
});

test("an empty directory that the operator made is taken", () => {
  const machine = new Machine(1);
  machine.put("/var/lib/m1/notes.txt", latin1Encode("mine"));
  const directory = opened(machine.open(machine.start()));
  equal(directory.fresh, true);
  ok(machine.disk.filesBelow("/var/lib/m1").includes("/var/lib/m1/notes.txt"));
});

test("each member draws its own raft id", () => {
  const ids = [1, 2, 3, 4].map((seed) => {
    const machine = new Machine(seed);
    return opened(machine.open(machine.start())).raftId;
  });
  equal(new Set(ids).size, 4);
});

test("every open counts, durable before it answers", () => {
  const machine = new Machine(2);
  for (let boot = 1; boot <= 5; boot++) {
    const process = machine.start();
    equal(opened(machine.open(process)).bootCount, boot);
    machine.disk.kill(process);
    machine.disk.powerLoss(UnsyncedFate.Drop);
  }
});

test("genesis is durable when it is done, in order, and never goes back from started", () => {
  const machine = new Machine(3);
  const process = machine.start();
  const directory = opened(machine.open(process));
  const done: string[] = [];
  process.run(() => {
    for (const text of ["a", "bb", "ccc"]) {
      directory.writeGenesis(GenesisState.Held, latin1Encode(text), () => done.push(text));
    }
    directory.writeGenesis(GenesisState.Started, latin1Encode("dddd"), () => done.push("dddd"));
    deepEqual(done, []);
    equal(directory.genesisState, GenesisState.None, "not before it is durable");
  });
  machine.settle();
  deepEqual(done, ["a", "bb", "ccc", "dddd"]);
  equal(directory.genesisState, GenesisState.Started);
  machine.disk.kill(process);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  const second = machine.start();
  const again = opened(machine.open(second));
  equal(again.genesisState, GenesisState.Started);
  deepEqual(again.genesis, latin1Encode("dddd"));
  machine.genesis(second, again, GenesisState.Started, "dddd again");
  throws(() => again.writeGenesis(GenesisState.Held, new Uint8Array(0), () => {}), /taken back/);
});

test("who joined is never anything else, and the directory says whose it is before it is opened", () => {
  const machine = new Machine(3);
  const process = machine.start();
  equal(ownerNow(process, options.directory), null);
  const directory = opened(machine.open(process));
  equal(ownerNow(process, "/var/lib/m1/")?.genesisState, GenesisState.None);
  machine.genesis(process, directory, GenesisState.Joined, "joined");
  throws(
    () => directory.writeGenesis(GenesisState.Started, new Uint8Array(0), () => {}),
    /taken back/,
  );
  machine.disk.kill(process);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  const second = machine.start();
  const { clusterId, memberId, genesisState } = ownerNow(second, options.directory)!;
  deepEqual([clusterId, memberId], ["00000000000000c1", "00000000000000a1"]);
  equal(genesisState, GenesisState.Joined);
  equal(opened(machine.open(second)).bootCount, 2);
});

test("a genesis larger than a block is kept whole", () => {
  const machine = new Machine(3);
  const process = machine.start();
  const text = "x".repeat(100_000);
  machine.genesis(process, opened(machine.open(process)), GenesisState.Held, text);
  machine.disk.kill(process);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  deepEqual(opened(machine.open(machine.start())).genesis, latin1Encode(text));
});

test("another cluster, another member: 75, both ids named", () => {
  const machine = used(4);
  refused(machine, 75, /^data directory \/var\/lib\/m1 belongs to cluster 0{14}c1, .* 0{14}c2/, {
    clusterId: "00000000000000c2",
  });
  refused(machine, 75, /^data directory \/var\/lib\/m1 belongs to member 0{14}a1, .* 0{14}a2/, {
    memberId: "00000000000000a2",
  });
  opened(machine.open(machine.start(), { clusterId: options.clusterId.toLowerCase() }));
});

function identityFile(format: number, level: number): Uint8Array {
  const { clusterId, memberId } = options;
  const genesis = new Uint8Array(0);
  const state = GenesisState.None;
  const identity = new Identity(
    clusterId,
    memberId,
    5,
    1,
    level,
    state,
    genesis,
    false,
    false,
    "",
    false,
  );
  const { body } = encodeIdentity(identity, 100);
  return encodeRecordFile(Magic.Identity, new RecordFile(format, 100, body));
}

test("who was added anew before it had joined takes its directory over, under another raft id", () => {
  const machine = used(5);
  const { raftId } = ownerNow(machine.start(), options.directory)!;
  const other = { memberId: "00000000000000a2" };
  refused(machine, 75, /belongs to member 0{14}a1, this is member 0{14}a2/, other);
  refused(machine, 75, /belongs to cluster/, { clusterId: "00000000000000c2", joins: true });
  const process = machine.start();
  const second = opened(machine.open(process, { ...other, joins: true }));
  equal(second.bootCount, 1);
  notEqual(second.raftId, raftId);
  machine.disk.kill(process);
  equal(opened(machine.open(machine.start(), other)).raftId, second.raftId);
});

test("who has joined is not taken over", () => {
  const machine = new Machine(6);
  const process = machine.start();
  machine.genesis(process, opened(machine.open(process)), GenesisState.Joined, "g");
  machine.disk.kill(process);
  const other = { memberId: "00000000000000a2", joins: true };
  refused(machine, 75, /belongs to member/, other);
});

test("a directory that peers know a later start of is refused for good: 72, whatever it counts", () => {
  const machine = used(5);
  const process = machine.start();
  let marked = false;
  const directory = opened(machine.open(process));
  process.run(() => directory.markRegressed(() => (marked = true)));
  machine.settle();
  ok(marked);
  machine.disk.kill(process);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  for (let start = 0; start < 3; start++) {
    refused(
      machine,
      72,
      /^data directory \/var\/lib\/m1 is an older copy: a peer has met a later start/,
    );
  }
});

test("a disk that damages what it is given takes nothing more: 72 at every start", () => {
  const machine = new Machine(19);
  const process = machine.start();
  const directory = opened(machine.open(process));
  let marked = false;
  process.run(() => directory.markDiskFails(() => (marked = true)));
  machine.settle();
  ok(marked);
  machine.disk.kill(process);
  machine.disk.powerLoss(UnsyncedFate.Drop);
  for (let start = 0; start < 2; start += 1) {
    refused(machine, 72, /\/var\/lib\/m1: its disk has damaged .* with an empty directory$/);
  }
});

test("a newer format or feature level: 75", () => {
  const machine = used(5);
  machine.put("/var/lib/m1/IDENTITY-2", identityFile(2, 0));
  refused(machine, 75, /is of format 2, this binary knows formats up to 1: start a newer one/);
  machine.put("/var/lib/m1/IDENTITY-2", identityFile(1, 4));
  refused(machine, 75, /is of feature level 4, this binary knows levels up to 3/);
  opened(machine.open(machine.start(), { levelMax: 4 }));
});

test("in use by another process: 75; free when that one is dead", () => {
  const machine = new Machine(6);
  const owner = machine.start();
  opened(machine.open(owner));
  refused(machine, 75, /^directory \/var\/lib\/m1 is in use by another process$/);
  machine.disk.kill(owner);
  opened(machine.open(machine.start()));
});

test("made by another process between the look and the lock: that one's identity counts", () => {
  const machine = new Machine(6);
  const theirs = identityFile(1, 0);
  const process = machine.start();
  const outcomes: (DataDirectory | Refusal)[] = [];
  const put = (path: string): void => {
    const file = process.disk.openNow(path, true);
    assert("write" in file, "the file opens");
    file.write(0, theirs, () => file.close());
    machine.settle();
  };
  const disk = Object.create(process.disk, {
    listNow: { value: (path: string) => process.disk.listNow(path) },
    makeDirectoryNow: { value: (path: string) => process.disk.makeDirectoryNow(path) },
    sizeNow: { value: (path: string) => process.disk.sizeNow(path) },
    openNow: { value: (path: string, create: boolean) => process.disk.openNow(path, create) },
    rename: { value: process.disk.rename.bind(process.disk) },
    remove: { value: process.disk.remove.bind(process.disk) },
    syncDirectory: { value: process.disk.syncDirectory.bind(process.disk) },
    lockNow: {
      value: (path: string) => {
        const error = process.disk.lockNow(path);
        put("/var/lib/m1/IDENTITY-1");
        return error;
      },
    },
  }) as Disk;
  const env: Env = {
    clock: process.clock,
    random: process.random,
    disk,
    transport: process.transport,
    trace: process.trace,
    schedule: (turn) => process.schedule(turn),
    fatal: (exitCode, reason) => process.fatal(exitCode, reason),
    restart: (reason) => process.restart(reason),
  };
  process.run(() => {
    openDirectory(env, options, (outcome) => {
      outcomes.push(outcome.ok ? outcome.directory : outcome);
    });
  });
  machine.settle();
  const directory = opened(outcomes[0]!);
  equal(directory.raftId, 5);
  equal(directory.bootCount, 2);
});

test("a log directory of its own: made, locked, refused when in use or somebody else's", () => {
  const machine = new Machine(7);
  const owner = machine.start();
  opened(machine.open(owner, { walDirectory: "/var/fast/wal/" }));
  const other = { directory: "/var/lib/m2", walDirectory: "/var/fast/wal" };
  refused(machine, 75, /^directory \/var\/fast\/wal is in use by another process$/, other);
  machine.put("/var/fast/wal/wal-0000000000000001.log", latin1Encode("a log"));
  machine.disk.kill(owner);
  refused(machine, 72, /wal-0000000000000001.log is there, but IDENTITY-1 and -2/, other);
  opened(machine.open(machine.start(), { walDirectory: "/var/fast/wal" }));
});

test("both copies of the identity damaged: 72, with file and offset; one: repaired", () => {
  const machine = used(8);
  const raftId = opened(machine.open(machine.start())).raftId;
  for (const copy of [1, 2]) {
    const other = used(8);
    other.disk.damage.rot(`/var/lib/m1/IDENTITY-${copy}`, 30, new Uint8Array([1, 2, 3]));
    const process = other.start();
    equal(opened(other.open(process)).raftId, raftId);
    other.disk.kill(process);
    other.disk.damage.rot(`/var/lib/m1/IDENTITY-${3 - copy}`, 0, new Uint8Array([0]));
    equal(opened(other.open(other.start())).bootCount, 3);
  }
  const both = used(8);
  both.disk.damage.rot("/var/lib/m1/IDENTITY-1", 30, new Uint8Array([1, 2, 3]));
  both.disk.damage.cut("/var/lib/m1/IDENTITY-2", 10);
  refused(
    both,
    72,
    /IDENTITY-1: offset 4: CRC [0-9a-f]{8}, want [0-9a-f]{8}; .*IDENTITY-2: only 10 bytes long/,
  );
});

test("files of a member without its identity: 72, not a new member", () => {
  for (const name of ["MANIFEST-1", "rows-0123456789abc", "tables-0123456789abc", "wal-durable"]) {
    const machine = new Machine(9);
    machine.put(`/var/lib/m1/${name}`, latin1Encode("something"));
    refused(machine, 72, new RegExp(`/var/lib/m1/${name} is there, but IDENTITY-1 and -2`));
  }
});

test("etcd's directory: 75", () => {
  const machine = new Machine(9);
  machine.put("/var/lib/m1/member/snap/db", latin1Encode("bolt"));
  refused(machine, 75, /^\/var\/lib\/m1\/member is etcd's/);
});

const faults: readonly [string, DiskOperation, string, number, RegExp][] = [
  ["mkdir refused", DiskOperation.Open, "/var/lib/m1", 64, /^\/var\/lib\/m1 cannot .*: EACCES$/],
  [
    "file refused",
    DiskOperation.Open,
    "IDENTITY-1.draft",
    64,
    /IDENTITY-1.draft cannot .*: EACCES$/,
  ],
  [
    "second copy refused",
    DiskOperation.Open,
    "IDENTITY-2",
    64,
    /IDENTITY-2.draft cannot .* EACCES$/,
  ],
  [
    "write refused",
    DiskOperation.Write,
    "IDENTITY-1",
    71,
    /IDENTITY-1.draft: write failed: ENOSPC$/,
  ],
  ["sync refused", DiskOperation.Sync, "IDENTITY-2", 71, /IDENTITY-2.draft: sync failed: ENOSPC$/],
  ["rename refused", DiskOperation.Rename, "IDENTITY-2", 71, /rename failed: ENOSPC$/],
  ["directory sync refused", DiskOperation.SyncDirectory, "/var", 71, /failed: ENOSPC$/],
];

for (const [name, operation, pathPart, exitCode, reason] of faults) {
  test(`${name}: ${exitCode} with path and errno, and a new directory is taken back`, () => {
    const machine = new Machine(10);
    machine.put("/var/other", new Uint8Array(1));
    machine.disk.fault = (kind, path) => {
      if (kind !== operation || !path.includes(pathPart)) return null;
      return exitCode === 64 ? "EACCES" : "ENOSPC";
    };
    refused(machine, exitCode, reason);
    machine.disk.fault = null;
    equal(opened(machine.open(machine.start())).bootCount, 1);
  });
}

test("a file where the directory should be: 64", () => {
  const machine = new Machine(11);
  machine.put("/var/lib/m1", new Uint8Array(1));
  refused(machine, 64, /^\/var\/lib\/m1 cannot be used .* mkdir: EEXIST$/);
});
