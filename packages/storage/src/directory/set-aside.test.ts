// A directory is set aside whole: once the word is durable nobody sees its old raft id any more, and
// whatever dies in between, not a byte of what was there is lost. Over the simulator's disk, which
// knows directories, locks, and what a power loss leaves of renames.
import { strictEqual as equal, deepStrictEqual as deepEqual, match, ok } from "node:assert";
import test from "node:test";
import { assert, latin1Encode, must } from "@quorate/base";
import { SimDisk, SimNetwork, SimProcess, World } from "@quorate/sim";
import type { DirectoryCopy } from "@quorate/sim";
import { GenesisState } from "../storage-api.ts";
import type { DataDirectory, DirectoryOptions, Refusal } from "../storage-api.ts";
import { openDirectory } from "./open-directory.ts";
import { finishSettingAside, setAside } from "./set-aside.ts";

const main = "/var/lib/m1";
const wal = "/var/fast/wal";
const genesis = latin1Encode("the genesis");
const options: DirectoryOptions = {
  directory: main,
  walDirectory: wal,
  clusterId: "00000000000000c1",
  memberId: "00000000000000a1",
  levelMax: 3,
};
/** Of a member; what stands in them does not matter here. */
const files = new Map([
  [`${main}/MANIFEST-1`, "m"],
  [`${main}/MANIFEST-2`, "m"],
  [`${main}/rows-0123456789abc`, "rows"],
  [`${wal}/wal-0000000000000001.log`, "log"],
  [`${wal}/wal-durable`, "slots"],
]);

class Machine {
  readonly world: World;
  readonly disk: SimDisk;
  readonly #network: SimNetwork;
  process: SimProcess;
  wallMs: number;
  #processes: number;

  constructor(seed: number) {
    this.world = new World(seed);
    this.disk = new SimDisk(this.world, this.world.random("disk"), "m1");
    this.#network = new SimNetwork(this.world, this.world.random("network"));
    this.#network.addMachine("m1", ["m1:1"]);
    this.wallMs = Date.UTC(2026, 10, 29);
    this.#processes = 0;
    this.process = this.start();
  }

  /** A new process in the place of the present one, which dies now. */
  start(): SimProcess {
    if (this.#processes > 0) this.disk.kill(this.process);
    return this.beside();
  }

  /** A second one, while the present one lives. */
  beside(): SimProcess {
    const name = `p${++this.#processes}`;
    const { world, disk } = this;
    const random = world.random(name);
    const clock = { monotonicMs: () => world.nowMs, wallMs: () => this.wallMs };
    this.process = new SimProcess(
      name,
      { world, network: this.#network, disk, clock, random, machine: "m1" },
      { crashPlan: null, onMark: () => {}, onEnd: () => {} },
    );
    return this.process;
  }

  /** Calls with a way to give the outcome back; at most `events` more (null: to the end). */
  ask<T>(call: (give: (outcome: T) => void) => void, events: number | null = null): T | null {
    const outcomes: T[] = [];
    this.process.run(() => call((outcome) => void outcomes.push(outcome)));
    for (let left = events ?? Infinity; left > 0 && outcomes.length === 0; left--) {
      if (!this.world.step()) break;
    }
    equal(this.process.failure, null);
    return outcomes[0] ?? null;
  }

  open(): DataDirectory | Refusal {
    const outcome = this.ask<DataDirectory | Refusal>((give) =>
      openDirectory(this.process, options, (found) => give(found.ok ? found.directory : found)),
    );
    return must(outcome, "opening ends");
  }

  finish(events: number | null = null): Refusal | "done" | null {
    return this.ask<Refusal | "done">(
      (give) => finishSettingAside(this.process, options, (refused) => give(refused ?? "done")),
      events,
    );
  }

  setAside(events: number | null = null): Refusal | "done" | null {
    return this.ask<Refusal | "done">(
      (give) =>
        setAside(this.process, { ...options, reason: "a test" }, (refused) =>
          give(refused ?? "done"),
        ),
      events,
    );
  }

  put(path: string, bytes: Uint8Array): void {
    this.ask((give) => {
      const file = this.process.disk.openNow(path, true);
      assert("write" in file, "the file opens");
      file.write(0, bytes, () =>
        file.sync(() => {
          file.close();
          this.process.disk.syncDirectory(path.slice(0, path.lastIndexOf("/")), give);
        }),
      );
    });
  }

  /** Path → content, of every file but the locks. */
  contents(): Map<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string, copy: DirectoryCopy): void => {
      for (const [name, node] of copy) {
        if (!(node instanceof Uint8Array)) visit(`${path}/${name}`, node);
        else if (name !== "LOCK") found.set(`${path}/${name}`, node.toString());
      }
    };
    visit("/var", this.disk.copyDirectory("/var"));
    return found;
  }
}

/** Started, used, its process dead. */
function member(seed: number, state: GenesisState): { machine: Machine; raftId: number } {
  const machine = new Machine(seed);
  const directory = machine.open();
  assert(!("ok" in directory), "a new directory opens");
  const { raftId } = directory;
  machine.ask((give) => directory.writeGenesis(state, genesis, () => give(null)));
  for (const [path, text] of files) machine.put(path, latin1Encode(text));
  machine.start();
  return { machine, raftId };
}

/** All of it stands in a quarantine, byte for byte. */
function checkKept(machine: Machine, before: ReadonlyMap<string, string>): void {
  const after = machine.contents();
  for (const [path, content] of before) {
    const [place, name] = path.startsWith(wal)
      ? [wal, path.slice(wal.length + 1)]
      : [main, path.slice(main.length + 1)];
    const kept = [...after].filter(
      ([at]) => at.startsWith(`${place}/quarantine-`) && at.endsWith(`Z/${name}`),
    );
    equal(kept.length, 1, `${path} is kept once`);
    equal(kept[0]![1], content, path);
  }
}

for (const [state, becomes] of [
  [GenesisState.Started, GenesisState.Wiped],
  [GenesisState.Wiped, GenesisState.Wiped],
  [GenesisState.Joined, GenesisState.Joined],
] as const) {
  test(`the same member under a new raft id, genesis state ${state} → ${becomes}`, () => {
    const { machine, raftId } = member(1, state);
    const before = machine.contents();
    equal(machine.setAside(), "done");
    deepEqual(
      [...machine.contents().keys()].filter((path) => !before.has(path)),
      [`${main}/SET-ASIDE-1`, `${main}/SET-ASIDE-2`],
      "nothing has moved yet",
    );
    machine.start();
    const early = machine.open();
    ok("ok" in early && early.exitCode === 72, "no look at it in between");
    machine.start();
    equal(machine.finish(), "done");
    checkKept(machine, before);
    const directory = machine.open();
    assert(!("ok" in directory), "it opens");
    ok(directory.raftId !== raftId);
    equal(directory.bootCount, 1);
    equal(directory.genesisState, becomes);
    deepEqual(directory.genesis, genesis);
    equal(machine.contents().size, before.size + 2, "two copies of the new identity");
  });
}

test("whose directory it was cannot be read: all of it is kept, the place is as a new disk", () => {
  const { machine, raftId } = member(2, GenesisState.Started);
  for (const copy of [1, 2]) {
    machine.disk.damage.rot(`${main}/IDENTITY-${copy}`, 30, new Uint8Array([1, 2, 3]));
  }
  const refused = machine.open();
  assert("ok" in refused, "it is refused");
  deepEqual(refused.rejoins, { tables: [], peers: 0 });
  machine.start();
  const before = machine.contents();
  equal(machine.setAside(), "done");
  machine.start();
  equal(machine.finish(), "done");
  checkKept(machine, before);
  const directory = machine.open();
  assert(!("ok" in directory), "it opens");
  ok(directory.raftId !== raftId);
  equal(directory.genesisState, GenesisState.None);
});

/** Each start dies after some more events than the one before it, until one comes to its end. */
function comesThrough(machine: Machine, power: boolean, eventsAtFirst: number): void {
  for (let events = eventsAtFirst; ; events += 3) {
    machine.start();
    if (power) machine.disk.powerLoss();
    const finished = machine.finish(events);
    if (finished === null) continue;
    equal(finished, "done", JSON.stringify(finished));
    return;
  }
}

test("killed, or the power lost, at any event: the old raft id is gone, the bytes are all there", () => {
  let crashes = 0;
  for (const power of [false, true]) {
    for (let at = 1; ; at += 1) {
      const { machine, raftId } = member(at, GenesisState.Started);
      const before = machine.contents();
      const said = machine.setAside(at);
      comesThrough(machine, power, at);
      const directory = machine.open();
      assert(!("ok" in directory), "it opens");
      if (directory.raftId === raftId) {
        ok(said !== "done", "it was said that it never speaks again");
        equal(machine.setAside(), "done", "it had not begun");
        machine.start();
        equal(machine.finish(), "done");
        // That open has counted one start more in the old identity.
        for (const copy of [1, 2]) before.delete(`${main}/IDENTITY-${copy}`);
      }
      checkKept(machine, before);
      crashes += 1;
      if (said === "done" && at > 120) break;
    }
  }
  ok(crashes > 200, `${crashes} crashes`);
});

test("not twice within ten minutes, not four times a day; nothing is changed then", () => {
  const { machine } = member(3, GenesisState.Started);
  for (let times = 1; times <= 3; times += 1) {
    equal(machine.setAside(), "done", `${times}`);
    machine.start();
    equal(machine.finish(), "done");
    const before = machine.contents();
    const again = machine.setAside();
    assert(again !== null && again !== "done", "refused");
    equal(again.exitCode, 72);
    match(again.reason, /^\/var\/lib\/m1 is not set aside again, because .* \(quarantine-\d{8}T/);
    deepEqual(machine.contents(), before);
    machine.wallMs += 11 * 60_000;
  }
  const fourth = machine.setAside();
  assert(fourth !== null && fourth !== "done", "refused");
  match(fourth.reason, /3 times within a day/);
});

test("in use by another process: 75, and nothing is written", () => {
  const { machine } = member(4, GenesisState.Started);
  assert(!("ok" in machine.open()), "it opens");
  const owner = machine.process;
  const before = machine.contents();
  machine.beside();
  const refused = machine.setAside();
  assert(refused !== null && refused !== "done", "refused");
  equal(refused.exitCode, 75);
  match(refused.reason, /^directory \/var\/lib\/m1 is in use by another process$/);
  deepEqual(machine.contents(), before);
  equal(owner.alive, true);
});
