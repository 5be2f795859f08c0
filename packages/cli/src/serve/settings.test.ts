// Flags, environment and configuration file: each form that etcd's users write, which one wins, and
// the one line for everything that is wrong.
import { deepEqual, equal, throws } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UsageError } from "../exit.ts";
import { environmentName, FlagKind, flags, flagsByName, FlagState } from "./flags.ts";
import { gatherSettings, parseFlags } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-settings-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function refused(run: () => unknown, message: string | RegExp): void {
  throws(run, (error: unknown) => {
    equal(error instanceof UsageError, true, String(error));
    const text = (error as UsageError).message;
    equal(text.includes("\n"), false, "one line");
    if (typeof message === "string") equal(text, message);
    else equal(message.test(text), true, text);
    return true;
  });
}

test("both of Go's forms, one dash or two, and booleans without a value", () => {
  const values = parseFlags([
    "--name",
    "m1",
    "-data-dir=/d",
    "--initial-cluster=m1=http://a:1",
    "-pre-vote",
    "--strict-reconfig-check=F",
    "--heartbeat-interval",
    "50",
  ]);
  deepEqual(Object.fromEntries(values), {
    name: "m1",
    "data-dir": "/d",
    "initial-cluster": "m1=http://a:1",
    "pre-vote": "true",
    "strict-reconfig-check": "false",
    "heartbeat-interval": "50",
  });
});

test("a value may be empty, hold an equals sign or begin with a dash", () => {
  equal(parseFlags(["--name="]).get("name"), "");
  equal(parseFlags(["--name=a=b"]).get("name"), "a=b");
  equal(parseFlags(["--name", "-x"]).get("name"), "-x");
});

test("the last of two equal flags counts, as in Go", () => {
  equal(parseFlags(["--name=a", "--name=b"]).get("name"), "b");
});

test("wrong flags: each with its line", () => {
  const rows: [string[], string][] = [
    [["--no-such-flag"], "unknown flag --no-such-flag"],
    [["--nmae", "x"], "unknown flag --nmae; did you mean --name?"],
    [["-data-dri=x"], "unknown flag --data-dri; did you mean --data-dir?"],
    [["--name"], "flag needs a value: --name"],
    [["m1"], 'unexpected argument "m1"'],
    [["--"], 'unexpected argument "--"'],
    [["--election-timeout=1s"], '--election-timeout: "1s" is not a whole number'],
    [["--pre-vote=maybe"], '--pre-vote: "maybe" is not true or false'],
    [["--discovery=x"], "--discovery is not supported by this version of quorate"],
    [["--unsafe-no-fsync"], "--unsafe-no-fsync is not supported by this version of quorate"],
  ];
  for (const [argv, message] of rows) {
    refused(() => gatherSettings(argv, {}), message);
  }
});

test("what asks for nothing is not refused: empty TLS files, switches set to false", () => {
  gatherSettings(["--cert-file=", "--auto-tls=false", "--force-new-cluster=0"], {});
});

test("YAML: the TLS sections stand for the flags, in etcd's names and in ours", () => {
  const path = file(
    "tls-sections.yaml",
    [
      "client-transport-security:",
      "  cert-file: /c",
      "  key-file: /k",
      "  client-cert-auth: true",
      "  trusted-ca-file: /ca",
      "  allowed-hostname: [a, b]",
      "  crl-file: /crl",
      "  auto-tls: true",
      "peer-transport-security:",
      "  cert-file: /pc",
      "  client-cert-file: /pcc",
      "  client-cert-auth: true",
      "  allowed-cn: [x, y]",
      "  cert-allowed-hostname: h",
      "  skip-client-san-verification: true",
      "  auto-tls: true",
    ].join("\n"),
  );
  const { values } = gatherSettings(["--config-file", path], {});
  deepEqual(Object.fromEntries(values), {
    "config-file": path,
    "cert-file": "/c",
    "key-file": "/k",
    "client-cert-auth": "true",
    "trusted-ca-file": "/ca",
    "client-cert-allowed-hostname": "a,b",
    "client-crl-file": "/crl",
    "auto-tls": "true",
    "peer-cert-file": "/pc",
    "peer-client-cert-file": "/pcc",
    "peer-client-cert-auth": "true",
    "peer-cert-allowed-cn": "x,y",
    "peer-cert-allowed-hostname": "h",
    "peer-skip-client-san-verification": "true",
    "peer-auto-tls": "true",
  });
});

test("flag over environment over file", () => {
  const path = file("a.yaml", "name: file\ndata-dir: /file\nwal-dir: /file-wal\n");
  const { values } = gatherSettings(["--name", "flag", `--config-file=${path}`], {
    ETCD_NAME: "environment",
    ETCD_DATA_DIR: "/environment",
  });
  equal(values.get("name"), "flag");
  equal(values.get("data-dir"), "/environment");
  equal(values.get("wal-dir"), "/file-wal");
});

test("the environment: empty is not set, ours begin with QUORATE_, wrong values name the variable", () => {
  const { values } = gatherSettings([], { ETCD_NAME: "", QUORATE_COMPAT_VERSION: "3.4.23" });
  deepEqual([...values], [["compat-version", "3.4.23"]]);
  refused(
    () => gatherSettings([], { ETCD_ELECTION_TIMEOUT: "soon" }),
    'ETCD_ELECTION_TIMEOUT: "soon" is not a whole number',
  );
});

test("a variable that looks like a setting and is none is reported, not refused", () => {
  const environment = { ETCD_NAMES: "x", QUORATE_X: "1", ETCDCTL_API: "3", PATH: "/bin" };
  deepEqual(gatherSettings([], environment).unknownVariables, ["ETCD_NAMES", "QUORATE_X"]);
  deepEqual(gatherSettings([], { QUORATE_EXIT_ON_STDIN_END: "1" }).unknownVariables, []);
});

test("flags without effect are accepted and reported", () => {
  const { ignored } = gatherSettings(["--snapshot-count=9", "--enable-v2", "--logger=zap"], {});
  deepEqual(ignored, ["enable-v2", "logger", "snapshot-count"]);
});

test("YAML: etcd's sample with empty values, lists and TLS sections that ask for nothing", () => {
  const path = file(
    "sample.yml",
    [
      "# human-readable name",
      "name: 'm1'",
      "data-dir:",
      "heartbeat-interval: 100",
      "listen-peer-urls: http://localhost:2380",
      "enable-pprof: true",
      "log-outputs: [stderr, /var/log/etcd]",
      "client-transport-security:",
      "  cert-file:",
      "  client-cert-auth: false",
      "peer-transport-security:",
      "force-new-cluster: false",
      "",
    ].join("\n"),
  );
  const { values } = gatherSettings(["--config-file", path], {});
  deepEqual(Object.fromEntries(values), {
    "config-file": path,
    name: "m1",
    "heartbeat-interval": "100",
    "listen-peer-urls": "http://localhost:2380",
    "enable-pprof": "true",
    "log-outputs": "stderr,/var/log/etcd",
    "client-cert-auth": "false",
    "force-new-cluster": "false",
  });
});

test("TOML: names carry their units, etcd's names are not known there", () => {
  const path = file("a.toml", 'name = "m1"\nelection_timeout_ms = 2000\npre_vote = true\n');
  const { values } = gatherSettings(["--config-file", path], {});
  equal(values.get("election-timeout"), "2000");
  equal(values.get("pre-vote"), "true");
  const wrong = file("b.toml", "election_timeout = 2000\n");
  refused(
    () => gatherSettings(["--config-file", wrong], {}),
    `${wrong}: unknown key "election_timeout"; did you mean election_timeout_ms?`,
  );
});

test("wrong configuration files: each with its line", () => {
  const rows: [string, string, RegExp][] = [
    ["key.yaml", "nmae: x\n", /: unknown key "nmae"; did you mean name\?$/],
    ["int.yaml", "election-timeout: soon\n", /: "election-timeout": "soon" is not a whole number$/],
    ["map.yaml", "name: {a: 1}\n", /: "name" must be a text, a number or true\/false$/],
    ["list.yaml", "- a\n", /: expected names with values$/],
    ["syntax.yaml", "name: [\n", /syntax\.yaml: .+/],
    ["syntax.toml", "name = \n", /syntax\.toml: .+/],
    [
      "tls.yaml",
      "client-transport-security: {name: m1}\n",
      /: unknown key "name" in "client-transport-security"$/,
    ],
    [
      "tls-key.yaml",
      "client-transport-security: {cert-fiel: /c}\n",
      /: unknown key "cert-fiel" in "client-transport-security"; did you mean cert-file\?$/,
    ],
  ];
  for (const [name, text, message] of rows) {
    refused(() => gatherSettings(["--config-file", file(name, text)], {}), message);
  }
  const missing = join(folder, "missing.yaml");
  refused(
    () => gatherSettings([`-config-file=${missing}`], {}),
    `cannot read the configuration file ${missing}: ENOENT`,
  );
});

test("an empty configuration file says nothing", () => {
  const path = file("empty.yaml", "");
  deepEqual([...gatherSettings(["--config-file", path], {}).values.keys()], ["config-file"]);
});

test("the table names every flag once, in every form, and explains those that work", () => {
  equal(flagsByName.size, flags.length);
  equal(new Set(flags.map((flag) => flag.toml)).size, flags.length);
  equal(new Set(flags.map(environmentName)).size, flags.length);
  for (const flag of flags) {
    if (flag.state === FlagState.Used) equal(flag.help.length > 0, true, flag.name);
  }
});

test("etcd's experimental switches take no separate value, as in Go", () => {
  equal(flagsByName.get("experimental-initial-corrupt-check")?.kind, FlagKind.Bool);
  const values = parseFlags(["--experimental-initial-corrupt-check", "--name=x"]);
  equal(values.get("name"), "x");
});
