// The `quorate` wrapper of a checkout: found through any links and from any directory, it becomes
// the Node process (one process, so that signals and exit codes reach the member itself).
import { deepEqual, equal, match } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A checkout with a space in its path, linked as npm links it, whose Node only says what it got. */
function checkout(withNode: boolean = true): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "quorate bin ")));
  folders.push(folder);
  for (const path of ["packages/cli/bin", "node_modules/.bin", "node_modules/@quorate"]) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  copyFileSync(
    join(import.meta.dirname, "../bin/quorate"),
    join(folder, "packages/cli/bin/quorate"),
  );
  symlinkSync("../../packages/cli", join(folder, "node_modules/@quorate/cli"));
  symlinkSync("../@quorate/cli/bin/quorate", join(folder, "node_modules/.bin/quorate"));
  const node = join(folder, "node_modules/.bin/node");
  if (withNode) {
    writeFileSync(node, '#!/bin/sh\necho "$$"\npwd -P\nprintf "%s\\n" "$@"\nexit 75\n');
    chmodSync(node, 0o755);
  }
  return folder;
}

test("node_modules/.bin/quorate becomes the checkout's Node, arguments and exit code included", async () => {
  const root = checkout();
  const child = spawn(join(root, "node_modules/.bin/quorate"), ["serve", "a b", ""], { cwd: "/" });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  equal(code, 75);
  deepEqual(output.split("\n").slice(0, -1), [
    String(child.pid),
    "/",
    "--conditions=@quorate/source",
    join(root, "packages/cli/src/main.ts"),
    "serve",
    "a b",
    "",
  ]);
});

test("a link to a link, absolute and relative, from another directory", () => {
  const root = checkout();
  symlinkSync(join(root, "node_modules/.bin/quorate"), join(root, "absolute"));
  symlinkSync("absolute", join(root, "relative"));
  const environment = { ...process.env, CDPATH: tmpdir() };
  const ended = spawnSync("./relative", ["x"], { cwd: root, encoding: "utf8", env: environment });
  equal(ended.status, 75);
  deepEqual(ended.stdout.split("\n").slice(1, 4), [
    root,
    "--conditions=@quorate/source",
    join(root, "packages/cli/src/main.ts"),
  ]);
});

test("without an installed Node it says what to do, exit 64", () => {
  const root = checkout(false);
  const ended = spawnSync(join(root, "node_modules/.bin/quorate"), [], { encoding: "utf8" });
  equal(ended.status, 64);
  match(ended.stderr, /run npm ci/);
});
