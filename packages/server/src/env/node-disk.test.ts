// The production disk against the contract that the simulated one fulfils as well.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
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
