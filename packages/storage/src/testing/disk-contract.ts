// What every Disk must do, as cases that any implementation runs: the simulated one and the one over
// real files. A case is a generator; it yields conditions, and the runner lets time pass until each
// holds (a simulated world by stepping, real files by waiting). Crashes are not here: only the
// simulator can lose power.
import { assert, equalBytes } from "@quorate/base";
import { type Disk, DiskError, type DiskFile } from "../env.ts";

export interface DiskUnderTest {
  readonly disk: Disk;
  /** An existing, empty directory. */
  readonly root: string;
  /** The same disk as another process sees it, and the end of that process. */
  otherProcess(): { readonly disk: Disk; end(): void };
}

export type ContractSteps = Generator<() => boolean, void>;

export interface DiskContractCase {
  readonly name: string;
  run(test: DiskUnderTest): ContractSteps;
}

export const diskContractCases: readonly DiskContractCase[] = [
  { name: "a directory that is not there lists as null", run: listsMissing },
  { name: "names come sorted bytewise, files and directories alike", run: listsSorted },
  { name: "making a directory makes its parents and is content when it exists", run: makesParents },
  { name: "there is room below a directory, and none told where there is none", run: tellsRoom },
  { name: "open with create fails when the file exists, without when it does not", run: opens },
  { name: "no completion comes inside the call", run: completesLater },
  { name: "what is written is read back, short at the end of the file", run: readsBack },
  { name: "a write past the end fills the gap with zeros", run: fillsGap },
  { name: "a write inside leaves its surroundings alone", run: overwritesInside },
  { name: "truncate shortens and lengthens with zeros", run: truncates },
  { name: "an empty write and many writes in flight all complete", run: manyWrites },
  { name: "rename moves a file and replaces the target", run: renames },
  { name: "rename and remove of what is not there say ENOENT", run: missingTargets },
  { name: "a removed file is gone by name and still read through its handle", run: removes },
  { name: "an empty directory can be removed, a full one not", run: removesDirectories },
  { name: "sync and syncDirectory complete without error", run: syncs },
  { name: "syncDirectory of a missing directory says ENOENT", run: syncMissing },
  { name: "two handles of one file see each other's writes", run: twoHandles },
  { name: "the lock excludes another process until its holder ends", run: locks },
];

// ---- waiting -------------------------------------------------------------------------------------

class Outcome {
  finished = false;
  error: DiskError | null = null;

  readonly done = (error: DiskError | null): void => {
    assert(!this.finished, "a completion came twice");
    this.finished = true;
    this.error = error;
  };
}

function* succeeds(start: (done: (error: DiskError | null) => void) => void): ContractSteps {
  const outcome = new Outcome();
  start(outcome.done);
  assert(!outcome.finished, "the completion came inside the call");
  yield () => outcome.finished;
  const error = outcome.error;
  assert(error === null, () => `unexpected ${error?.operation} ${error?.path}: ${error?.code}`);
}

function* failsWith(
  code: string,
  start: (done: (error: DiskError | null) => void) => void,
): ContractSteps {
  const outcome = new Outcome();
  start(outcome.done);
  yield () => outcome.finished;
  assert(outcome.error?.code === code, () => `wanted ${code}, got ${outcome.error?.code}`);
}

function opened(result: DiskFile | DiskError): DiskFile {
  assert(!(result instanceof DiskError), () => `open failed: ${(result as DiskError).code}`);
  return result;
}

function refused(result: DiskFile | DiskError, code: string): void {
  assert(result instanceof DiskError, "open should have failed");
  assert(result.code === code, () => `wanted ${code}, got ${result.code}`);
}

function contentOf(file: DiskFile): Uint8Array {
  const bytes = new Uint8Array(file.sizeNow());
  const count = file.readNow(0, bytes);
  assert(count === bytes.length, "a file reads whole");
  return bytes;
}

function holds(file: DiskFile, expected: Uint8Array): void {
  const found = contentOf(file);
  assert(equalBytes(found, expected), () => `${file.path} holds [${found.join(" ")}]`);
}

function pattern(length: number, start: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => start + i * 7);
}

// ---- cases ---------------------------------------------------------------------------------------

function* tellsRoom({ disk, root }: DiskUnderTest): ContractSteps {
  const free = disk.freeBytesNow(root);
  assert(free !== null && free > 0, "there is room");
  assert(disk.freeBytesNow(`${root}/missing`) === null, "nobody can tell");
}

function* listsMissing({ disk, root }: DiskUnderTest): ContractSteps {
  assert(disk.listNow(`${root}/none`) === null, "no directory, no list");
  assert(disk.sizeNow(`${root}/none`) === null, "no file, no size");
  assert(disk.listNow(root)?.length === 0, "the root starts empty");
}

function* listsSorted({ disk, root }: DiskUnderTest): ContractSteps {
  for (const name of ["b", "a10", "a9", "B", "_"]) {
    opened(disk.openNow(`${root}/${name}`, true)).close();
  }
  assert(disk.makeDirectoryNow(`${root}/aa`) === null, "mkdir works");
  const names = disk.listNow(root) ?? [];
  assert(names.join(" ") === "B _ a10 a9 aa b", () => `the order was ${names.join(" ")}`);
}

function* makesParents({ disk, root }: DiskUnderTest): ContractSteps {
  assert(disk.makeDirectoryNow(`${root}/x/y/z`) === null, "parents are made");
  assert(disk.makeDirectoryNow(`${root}/x/y`) === null, "an existing one is fine");
  assert(disk.listNow(`${root}/x/y`)?.join(" ") === "z", "it is there");
  opened(disk.openNow(`${root}/file`, true)).close();
  assert(disk.makeDirectoryNow(`${root}/file`) !== null, "a file is not a directory");
}

function* opens({ disk, root }: DiskUnderTest): ContractSteps {
  refused(disk.openNow(`${root}/f`, false), "ENOENT");
  opened(disk.openNow(`${root}/f`, true)).close();
  refused(disk.openNow(`${root}/f`, true), "EEXIST");
  refused(disk.openNow(`${root}/no/f`, true), "ENOENT");
  const file = opened(disk.openNow(`${root}/f`, false));
  assert(file.sizeNow() === 0, "a new file is empty");
  assert(disk.sizeNow(`${root}/f`) === 0, "by name too");
  file.close();
}

function* completesLater({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  yield* succeeds((done) => file.write(0, pattern(3, 1), done));
  yield* succeeds((done) => file.sync(done));
  yield* succeeds((done) => file.truncate(1, done));
  yield* succeeds((done) => disk.rename(`${root}/f`, `${root}/g`, done));
  yield* succeeds((done) => disk.syncDirectory(root, done));
  yield* succeeds((done) => disk.remove(`${root}/g`, done));
  file.close();
}

function* readsBack({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  const bytes = pattern(1000, 5);
  yield* succeeds((done) => file.write(0, bytes, done));
  holds(file, bytes);
  const into = new Uint8Array(10);
  assert(file.readNow(995, into) === 5, "short at the end");
  assert(equalBytes(into.subarray(0, 5), bytes.subarray(995)), "the last five");
  assert(file.readNow(1000, into) === 0, "nothing at the end");
  assert(file.readNow(5000, into) === 0, "nothing behind it");
  assert(disk.sizeNow(`${root}/f`) === 1000, "the size by name");
  file.close();
  const again = opened(disk.openNow(`${root}/f`, false));
  holds(again, bytes);
  again.close();
}

function* fillsGap({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  yield* succeeds((done) => file.write(5000, pattern(2, 9), done));
  const expected = new Uint8Array(5002);
  expected.set(pattern(2, 9), 5000);
  holds(file, expected);
  file.close();
}

function* overwritesInside({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  const expected = pattern(9000, 1);
  yield* succeeds((done) => file.write(0, expected, done));
  yield* succeeds((done) => file.write(4000, pattern(600, 3), done));
  const whole = expected.slice();
  whole.set(pattern(600, 3), 4000);
  holds(file, whole);
  file.close();
}

function* truncates({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  yield* succeeds((done) => file.write(0, pattern(100, 1), done));
  yield* succeeds((done) => file.truncate(10, done));
  holds(file, pattern(10, 1));
  yield* succeeds((done) => file.truncate(20, done));
  const expected = new Uint8Array(20);
  expected.set(pattern(10, 1));
  holds(file, expected);
  file.close();
}

function* manyWrites({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  yield* succeeds((done) => file.write(0, new Uint8Array(0), done));
  const outcomes: Outcome[] = [];
  for (let i = 0; i < 50; i++) {
    const outcome = new Outcome();
    outcomes.push(outcome);
    file.write(i * 10, pattern(10, i), outcome.done);
  }
  yield () => outcomes.every((outcome) => outcome.finished);
  assert(
    outcomes.every((outcome) => outcome.error === null),
    "all succeed",
  );
  const expected = new Uint8Array(500);
  for (let i = 0; i < 50; i++) expected.set(pattern(10, i), i * 10);
  holds(file, expected);
  file.close();
}

function* renames({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/old`, true));
  yield* succeeds((done) => file.write(0, pattern(4, 1), done));
  opened(disk.openNow(`${root}/new`, true)).close();
  yield* succeeds((done) => disk.rename(`${root}/old`, `${root}/new`, done));
  assert(disk.listNow(root)?.join(" ") === "new", "one name left");
  file.close();
  const found = opened(disk.openNow(`${root}/new`, false));
  holds(found, pattern(4, 1));
  found.close();
  assert(disk.makeDirectoryNow(`${root}/d`) === null, "mkdir works");
  yield* succeeds((done) => disk.rename(`${root}/new`, `${root}/d/moved`, done));
  assert(disk.sizeNow(`${root}/d/moved`) === 4, "into another directory");
  yield* succeeds((done) => disk.rename(`${root}/d`, `${root}/e`, done));
  assert(disk.sizeNow(`${root}/e/moved`) === 4, "directories move with what they hold");
}

function* missingTargets({ disk, root }: DiskUnderTest): ContractSteps {
  yield* failsWith("ENOENT", (done) => disk.rename(`${root}/none`, `${root}/x`, done));
  yield* failsWith("ENOENT", (done) => disk.remove(`${root}/none`, done));
  assert(disk.listNow(root)?.length === 0, "nothing was made");
}

function* removes({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  yield* succeeds((done) => file.write(0, pattern(8, 2), done));
  yield* succeeds((done) => disk.remove(`${root}/f`, done));
  assert(disk.listNow(root)?.length === 0, "the name is gone");
  holds(file, pattern(8, 2));
  file.close();
  opened(disk.openNow(`${root}/f`, true)).close();
  assert(disk.sizeNow(`${root}/f`) === 0, "a new file under the name is another one");
}

function* removesDirectories({ disk, root }: DiskUnderTest): ContractSteps {
  assert(disk.makeDirectoryNow(`${root}/d`) === null, "mkdir works");
  opened(disk.openNow(`${root}/d/f`, true)).close();
  yield* failsWith("ENOTEMPTY", (done) => disk.remove(`${root}/d`, done));
  yield* succeeds((done) => disk.remove(`${root}/d/f`, done));
  yield* succeeds((done) => disk.remove(`${root}/d`, done));
  assert(disk.listNow(`${root}/d`) === null, "gone");
}

function* syncs({ disk, root }: DiskUnderTest): ContractSteps {
  const file = opened(disk.openNow(`${root}/f`, true));
  yield* succeeds((done) => file.sync(done));
  yield* succeeds((done) => file.write(0, pattern(5000, 1), done));
  yield* succeeds((done) => file.sync(done));
  yield* succeeds((done) => disk.syncDirectory(root, done));
  holds(file, pattern(5000, 1));
  file.close();
}

function* syncMissing({ disk, root }: DiskUnderTest): ContractSteps {
  yield* failsWith("ENOENT", (done) => disk.syncDirectory(`${root}/none`, done));
}

function* twoHandles({ disk, root }: DiskUnderTest): ContractSteps {
  const first = opened(disk.openNow(`${root}/f`, true));
  const second = opened(disk.openNow(`${root}/f`, false));
  yield* succeeds((done) => first.write(0, pattern(30, 1), done));
  holds(second, pattern(30, 1));
  yield* succeeds((done) => second.write(30, pattern(30, 2), done));
  assert(first.sizeNow() === 60, "both see the new size");
  first.close();
  second.close();
}

function* locks(test: DiskUnderTest): ContractSteps {
  const { disk, root } = test;
  const path = `${root}/LOCK`;
  const other = test.otherProcess();
  assert(disk.lockNow(path) === null, "free at first");
  assert(disk.lockNow(path) === null, "who holds it has it");
  assert(other.disk.lockNow(path)?.code === "EBUSY", "held by this process");
  assert(other.disk.lockNow(`${root}/other`) === null, "another lock is another matter");
  other.end();
  const third = test.otherProcess();
  assert(third.disk.lockNow(`${root}/other`) === null, "a lock dies with its process");
  third.end();
}
