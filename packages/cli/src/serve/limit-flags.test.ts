// Each limit's flag by itself: its default arrives, a value arrives at one place and nowhere else, values
// outside of its bounds are refused; and docs/LIMITS.md names flags and tests that there are.
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hostDefaults } from "@quorate/host";
import { memberLimitDefaults } from "@quorate/server";
import type { MemberOptions } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { environmentName, flagsByName, FlagState } from "./flags.ts";
import { limitFlags, limitRows } from "./limit-flags.ts";
import { memberLimitsOf, resolveMember } from "./resolve.ts";
import { gatherSettings } from "./settings.ts";

const root = join(import.meta.dirname, "../../../..");

function resolve(...argv: string[]): MemberOptions {
  return resolveMember(gatherSettings(argv, {}), false);
}

/** Every number that the options hold, by its path. */
function numbersOf(value: unknown, path: string = ""): Map<string, number> {
  if (typeof value === "number") return new Map([[path, value]]);
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...numbersOf(inner, `${path}.${name}`)]),
  );
}

const places: Record<keyof typeof limitFlags, string> = {
  streamsPerConnection: ".limits.streamsPerConnectionMax",
  streams: ".limits.streamsMax",
  connections: ".limits.connectionsMax",
  connectionsPerAddress: ".limits.connectionsPerAddressMax",
  connectionsFromLoopback: ".limits.connectionsFromLoopbackMax",
  handshakes: ".limits.handshakesMax",
  keepAliveMinTime: ".limits.keepAlive.minTimeMs",
  keepAliveInterval: ".limits.keepAlive.intervalMs",
  keepAliveTimeout: ".limits.keepAlive.timeoutMs",
  watchersPerStream: ".host.watchersPerStreamMax",
  watchersPerConnection: ".host.watchersPerConnectionMax",
  watchers: ".host.watchersMax",
  watchStreamBuffer: ".host.watchStreamBufferBytes",
  watchBuffer: ".host.watchBufferBytes",
  rangeBytes: ".host.rangeBytesMax",
  rangeBytesInFlight: ".limits.replyBytesMax",
  requests: ".host.requestsMax",
  requestBytesInFlight: ".host.requestBytesInFlightMax",
  applyGap: ".host.applyGapMax",
  leaseRevokes: ".host.leaseRevokesPerSecondMax",
  learners: ".host.learnersMax",
};

test("each flag changes what it names, and nothing else", () => {
  const bare = resolve();
  const before = numbersOf({ host: bare.host, limits: bare.limits });
  for (const [name, flag] of Object.entries(limitFlags)) {
    const place = places[name as keyof typeof limitFlags];
    const value = flag.isDuration ? "7s" : String(Math.min(flag.max, flag.min + 3));
    const { host, limits } = resolve(`--${flag.name}=${value}`);
    const after = numbersOf({ host, limits });
    const changed = [...after].filter(([path, number]) => before.get(path) !== number);
    const expected = flag.isDuration ? 7000 : Number(value);
    deepEqual(changed, [[place, expected]], flag.name);
  }
});

test("defaults: those of the host and of the server; connections fit into the open files", () => {
  const { host } = resolve();
  equal(host.applyGapMax, hostDefaults.applyGapMax);
  const none = gatherSettings([], {});
  deepEqual(memberLimitsOf(none, null), memberLimitDefaults);
  equal(memberLimitsOf(none, 1024).connectionsMax, 716);
  equal(memberLimitsOf(none, 1_000_000).connectionsMax, 10_000);
  const many = gatherSettings(["--max-connections=50000"], {});
  equal(memberLimitsOf(many, 100_000).connectionsMax, 50_000);
  equal(memberLimitsOf(many, 10_000).connectionsMax, 7000);
});

test("below and above: each with its line; Go's nanoseconds, and the older name of max-learners", () => {
  for (const { name, min, max, isDuration } of limitRows) {
    const unit = isDuration ? "ms" : "";
    const below = isDuration ? `${min - 1}ms` : String(min - 1);
    throws(
      () => resolve(`--${name}=${below}`),
      new UsageError(`--${name}: ${below} is below ${min}${unit}`),
    );
    const above = isDuration ? `${max + 1}ms` : String(max + 1);
    if (Number.isSafeInteger(max + 1)) {
      throws(
        () => resolve(`--${name}=${above}`),
        new UsageError(`--${name}: ${above} is above ${max}${unit}`),
      );
    }
  }
  throws(
    () => resolve("--grpc-keepalive-timeout=soon"),
    new UsageError('--grpc-keepalive-timeout: "soon" is no duration like 10s'),
  );
  equal(resolve("--grpc-keepalive-timeout=3000000000").limits.keepAlive.timeoutMs, 3000);
  equal(resolve("--experimental-max-learners=2").host.learnersMax, 2);
  equal(resolve("--experimental-max-learners=2", "--max-learners=3").host.learnersMax, 3);
});

test("ten voters are no cluster that is founded; to join one, any list will do", () => {
  const list = (count: number): string =>
    Array.from({ length: count }, (_, n) => `m${n}=http://127.0.0.1:${n + 1}`).join(",");
  const flags = ["--name=m0", "--listen-peer-urls=http://127.0.0.1:1"];
  equal(resolve(...flags, `--initial-cluster=${list(9)}`).host.members.length, 9);
  const ten = `--initial-cluster=${list(10)}`;
  throws(
    () => resolve(...flags, ten),
    new UsageError("--initial-cluster lists 10 members, 9 at most"),
  );
  equal(resolve(...flags, ten, "--initial-cluster-state=existing").host.members.length, 10);
});

/** The cells of the rows of a page's tables. */
function rowsOf(page: string): string[][] {
  const text = readFileSync(join(root, "docs", page), "utf8");
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\|[ -]+\|/.test(line));
  return lines.map((line) => line.split("|").slice(1, -1));
}

test("docs/LIMITS.md: every flag that it names is one with an effect, and every flag of a limit is in it", () => {
  const named = new Set<string>();
  for (const cells of rowsOf("LIMITS.md")) {
    for (const [, name] of (cells[2] ?? "").matchAll(/`--([a-z-]+)`/g)) {
      named.add(name!);
      equal(flagsByName.get(name!)?.state, FlagState.Used, name);
    }
  }
  const missing = limitRows.filter(({ name }) => !named.has(name)).map(({ name }) => name);
  deepEqual(missing, []);
  for (const name of ["max-request-bytes", "max-txn-ops", "quota-backend-bytes"]) {
    ok(named.has(name), name);
  }
});

test("docs/LIMITS.md and docs/SECURITY.md: every row has a test, and every file that it names is there", () => {
  for (const [page, rowsMin] of [
    ["LIMITS.md", 25],
    ["SECURITY.md", 30],
  ] as const) {
    const rows = rowsOf(page).filter((cells) => !/^ *(limit|advisory|class) *$/.test(cells[0]!));
    ok(rows.length >= rowsMin, `${page}: ${rows.length} rows`);
    for (const cells of rows) {
      const files = [...cells.at(-1)!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!);
      ok(files.length > 0, `${page}: ${cells[0]}: no test`);
      for (const file of files) {
        match(file, /\.test\.ts$/, `${page}: ${cells[0]}`);
        ok(existsSync(join(root, file)), `${page}: ${file} is not there`);
      }
    }
  }
});

test("names of ours have our prefix in the environment, etcd's have etcd's", () => {
  for (const { name, isOwn } of limitRows) {
    const variable = environmentName(flagsByName.get(name)!);
    equal(variable.startsWith(isOwn ? "QUORATE_" : "ETCD_"), true, variable);
  }
});
