// The production disk against the contract that the simulated one fulfils as well.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { diskContractCases } from "@quorate/storage/internal";
import { NodeDisk } from "./node-disk.ts";

const caseMsMax = 10_000;

async function untilTrue(condition: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + caseMsMax;
  while (!condition()) {
    assert.ok(performance.now() < endMs, `waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const contract of diskContractCases) {
  test(`files: ${contract.name}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), "quorate-disk-"));
    const disk = new NodeDisk();
    const others: NodeDisk[] = [];
    t.after(() => {
      for (const each of [disk, ...others]) {
        each.unlock();
      }
      rmSync(root, { recursive: true, force: true });
    });
    const steps = contract.run({
      disk,
      root,
      otherProcess: () => {
        const other = new NodeDisk();
        others.push(other);
        return { disk: other, end: () => other.unlock() };
      },
    });
    for (let step = steps.next(); step.done !== true; step = steps.next()) {
      await untilTrue(step.value, contract.name);
    }
  });
}

test("a directory that others may read in is closed to them, new or not (CVE-2020-15113)", (t) => {
  const root = mkdtempSync(join(tmpdir(), "quorate-disk-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const disk = new NodeDisk();
  const loose: string[] = [];
  disk.onOpenToOthers = (directory) => void loose.push(directory);
  const modeOf = (name: string): number => statSync(join(root, name)).mode & 0o777;
  for (const [name, mode] of [
    ["wide", 0o777],
    ["readable", 0o755],
    ["own", 0o700],
  ] as const) {
    mkdirSync(join(root, name));
    chmodSync(join(root, name), mode);
    assert.equal(disk.makeDirectoryNow(join(root, name)), null);
    assert.equal(modeOf(name), 0o700, name);
  }
  assert.equal(disk.makeDirectoryNow(join(root, "new")), null);
  assert.equal(modeOf("new"), 0o700);
  assert.deepEqual(loose, []);
});
