// The parts of `quorate dev` that need no process: ports, folders, log lines, restarts, endings.
import { deepEqual, equal, match, throws } from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UsageError } from "../exit.ts";
import { gatherSettings } from "../serve/settings.ts";
import { resolveMember } from "../serve/resolve.ts";
import { checkFolder, prepareFolder } from "./data-folder.ts";
import { describeEnding, isForGood } from "./ending.ts";
import { layOut, serveArguments } from "./layout.ts";
import { LineWeight, readLogLine } from "./log-line.ts";
import { Restarts, restartsMax, restartWindowMs } from "./restarts.ts";
import { wantsColour } from "./screen.ts";

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "quorate-dev-unit-"));
  folders.push(made);
  return made;
}

test("ports: etcd's own without --base-port, P, P+10, P+20 with it, peers one above", () => {
  const ports = (size: number, base?: number): number[][] =>
    layOut(size, base, "/d").map((m) => [m.clientPort, m.peerPort]);
  deepEqual(ports(3), [
    [2379, 2380],
    [22379, 22380],
    [32379, 32380],
  ]);
  deepEqual(ports(3, 7000), [
    [7000, 7001],
    [7010, 7011],
    [7020, 7021],
  ]);
  deepEqual(ports(1), [[2379, 2380]]);
  throws(() => layOut(3, 65_530, "/d"), UsageError);
});

test("the arguments of every member are ones that quorate serve accepts", () => {
  const members = layOut(3, 7000, "/d");
  for (const member of members) {
    const settings = gatherSettings(serveArguments(member, members), {});
    const { host } = resolveMember(settings, false);
    equal(host.directory, join("/d", member.name));
    equal(host.members.length, 3);
    deepEqual(host.clientUrls, [`http://127.0.0.1:${member.clientPort}`]);
  }
});

test("a folder is asked without being touched, and remembers how it was laid out", () => {
  const path = join(folder(), "cluster");
  const three = layOut(3, 7000, path);
  equal(checkFolder(path, three), false);
  throws(() => readdirSync(path));
  prepareFolder(path, three);
  equal(checkFolder(path, three), true);
  throws(
    () => checkFolder(path, layOut(3, undefined, path)),
    /was made with --members 3 and --base-port 7000 \(clients at 7000, 7010, 7020\)/,
  );
  throws(() => checkFolder(path, layOut(5, 7000, path)), UsageError);
});

test("a folder that cannot be used, or whose note is something else, is refused", () => {
  const path = folder();
  const file = join(path, "file");
  writeFileSync(file, "");
  throws(() => checkFolder(join(file, "below"), layOut(1, 7000, file)), /ENOTDIR/);
  writeFileSync(join(path, "cluster.json"), "{}");
  throws(() => checkFolder(path, layOut(1, 7000, path)), /is not what quorate dev wrote/);
});

test("a log line of pino: weight, clock, fields", () => {
  const line = (fields: object): string =>
    JSON.stringify({ level: "info", time: "2026-01-02T03:04:05.678Z", name: "m1", ...fields });
  const role = readLogLine(line({ msg: "role changed", role: "leader", leader: "", term: 2 }));
  equal(role.weight, LineWeight.Notable);
  match(
    role.text,
    /^\d\d:\d\d:05\.678 info {2}role changed {2}role=leader {2}leader="" {2}term=2$/,
  );
  equal(role.message, "role changed");
  equal(readLogLine(line({ msg: "x" })).weight, LineWeight.Normal);
  equal(readLogLine(line({ msg: "x", level: "warn" })).weight, LineWeight.Warning);
  equal(readLogLine(line({ msg: "x", level: "fatal" })).weight, LineWeight.Error);
});

test("a line that is no log line is shown as it is, as an error", () => {
  for (const text of ["quorate: unknown flag --x", "{not json", '{"a":1}', "    at f (x.ts:1:2)"]) {
    deepEqual(readLogLine(text), { weight: LineWeight.Error, text, message: text });
  }
});

test("a killed member is started again a few times a minute, and later again", () => {
  const restarts = new Restarts();
  for (let at = 0; at < restartsMax; at += 1) {
    equal(restarts.allow(at * 1000), true);
  }
  equal(restarts.allow(restartsMax * 1000), false);
  equal(restarts.allow(restartWindowMs), true, "the first one is a window ago");
  equal(restarts.allow(restartWindowMs + 1), false);
});

test("endings: which ones are for good, and their words", () => {
  const killed = { code: null, signal: "SIGKILL" as const, lastWords: "" };
  equal(isForGood(killed), false);
  equal(describeEnding(killed), "was killed by SIGKILL");
  for (const code of [64, 70, 71, 72, 73, 74, 75]) {
    equal(isForGood({ code, signal: null, lastWords: "" }), true);
  }
  equal(isForGood({ code: 0, signal: null, lastWords: "" }), false);
  equal(
    describeEnding({ code: 75, signal: null, lastWords: "in use" }),
    "ended with exit code 75 (in use)",
  );
});

test("colour only on a terminal that has it, and never with NO_COLOR", () => {
  equal(wantsColour({ isTTY: true }, {}), true);
  equal(wantsColour({ isTTY: true }, { NO_COLOR: "1" }), false);
  equal(wantsColour({ isTTY: true }, { TERM: "dumb" }), false);
  equal(wantsColour({}, {}), false);
});
