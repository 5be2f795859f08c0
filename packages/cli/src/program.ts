// The command line: which commands and options there are. What they do is in their own files, loaded
// when called, so that `quorate put` does not load a server.
import { Argument, Command, InvalidArgumentError } from "commander";
import type { Option } from "commander";
import { tlsOf } from "./client/client-tls.ts";
import { addShared, clientOf, endpointsOf } from "./client/shared-options.ts";
import type { Shared } from "./client/shared-options.ts";
import type { DelOptions } from "./client/del.ts";
import type { GetOptions } from "./client/get.ts";
import type { PutOptions } from "./client/put.ts";
import type { DevOptions } from "./dev/dev.ts";
import type { InspectOptions, InspectSubject } from "./inspect/inspect.ts";
import type { StatusOptions } from "./status/status.ts";
import { addAlarms } from "./alarms/alarms-command.ts";
import { addAuth } from "./auth/auth-command.ts";
import { addImport } from "./import/import-command.ts";
import { addMembers } from "./members/members-command.ts";
import { addRecover } from "./recover/recover-command.ts";
import { addJoin } from "./join/join-command.ts";
import { serveHelp } from "./serve/serve-help.ts";
import { quorateVersion, versionText } from "./version.ts";

const widthMax = 80;

export function makeProgram(): Command {
  const program = new Command("quorate")
    .description("A distributed key-value store on Raft; etcd v3 clients can use it unchanged.")
    .version(quorateVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .configureHelp({ optionDescription, subcommandDescription: (command) => command.summary() })
    .configureOutput({
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(process.stdout.columns || widthMax, widthMax),
    });
  addServe(program);
  addDev(program);
  addPut(program);
  addGet(program);
  addDel(program);
  addStatus(program);
  addMembers(program);
  addAlarms(program);
  addAuth(program);
  addJoin(program);
  addInspect(program);
  addRecover(program);
  addImport(program);
  addSim(program);
  program
    .command("version")
    .summary("print the version")
    .description("Prints the version and what it is compatible with.")
    .action(() => void process.stdout.write(versionText()));
  return program;
}

/** Listed here for the help; main hands its arguments to serve untouched. */
function addServe(program: Command): void {
  const command = program
    .command("serve")
    .usage("[flags]")
    .summary("run one member, with etcd's flags");
  command.helpInformation = serveHelp;
}

/** As serve: main hands its arguments over untouched. */
function addSim(program: Command): void {
  program.command("sim").usage("[options]").summary("judge simulated clusters under faults");
}

function addDev(program: Command): void {
  program
    .command("dev")
    .summary("run a local cluster")
    .description("Runs a local cluster of three members. Ctrl-C stops it; the data stays.")
    .option("--base-port <port>", "clients at P, P+10, P+20; peers one above each", port)
    .option("--data-dir <folder>", "where the members keep their data", ".quorate-dev")
    .option("--members <n>", "how many: 1, 3 or 5", clusterSize, 3)
    .option("--verbose", "show every line of the members' logs", false)
    .addHelpText("after", devHelp)
    .action(async (options: DevOptions) => {
      const { dev } = await import("./dev/dev.ts");
      await dev(options);
    });
}

const devHelp = `
Without --base-port clients are served at 127.0.0.1:2379, 22379 and 32379.
Without --verbose only warnings, errors and changes of role are shown.
Started again, the cluster goes on with the data it has. Its members do not
take ETCD_… and QUORATE_… variables from the environment.`;

function addPut(program: Command): void {
  const command = program
    .command("put <key> [value]")
    .summary("write a key")
    .description("Writes a key. Without VALUE the value is what comes from standard input.")
    .option("--prev-kv", "print what the key held before", false)
    .addHelpText("after", "\nA value that begins with - comes after --: quorate put key -- -1")
    .action(async (key: string, value: string | undefined, options: PutOptions & Shared) => {
      const { put } = await import("./client/put.ts");
      await put(clientOf(options), key, value, options);
    });
  addShared(command);
}

function addGet(program: Command): void {
  const command = program
    .command("get <key> [range_end]")
    .summary("read keys")
    .description("Reads a key, or the keys from KEY up to RANGE_END.");
  addKeyRange(command)
    .option("--rev <n>", "read as of this revision", count, 0)
    .option("--limit <n>", "at most so many keys", count, 0)
    .option("--order <order>", "ASCEND or DESCEND", "")
    .option("--sort-by <what>", "KEY, CREATE, MODIFY, VALUE or VERSION", "")
    .option("--consistency <l|s>", "linearizable, or serializable from one member", "l")
    .option("--keys-only", "print no values", false)
    .option("--count-only", "print only how many keys there are", false)
    .option("--print-value-only", "print no keys", false)
    .action(async (key: string, end: string | undefined, options: GetOptions & Shared) => {
      const { get } = await import("./client/get.ts");
      await get(clientOf(options), key, end, options);
    });
  addShared(command);
}

function addDel(program: Command): void {
  const command = program
    .command("del <key> [range_end]")
    .summary("delete keys")
    .description("Deletes a key, or the keys from KEY up to RANGE_END; prints how many.");
  addKeyRange(command)
    .option("--prev-kv", "print what was deleted", false)
    .action(async (key: string, end: string | undefined, options: DelOptions & Shared) => {
      const { del } = await import("./client/del.ts");
      await del(clientOf(options), key, end, options);
    });
  addShared(command);
}

function addStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("show every member of a cluster")
    .description("Shows every member: role, term, log positions, leader and digest of its data.")
    .option("--json", "print JSON", false)
    .addHelpText("after", statusHelp)
    .action(async (options: StatusOptions & Shared) => {
      const { status } = await import("./status/status.ts");
      const { json, timeout } = options;
      await status(endpointsOf(options), timeout * 1000, { json, tls: tlsOf(options) });
    });
  addShared(command);
}

function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .summary("check what stands in a data directory")
    .description(
      "Reads and checks a part of a data directory and explains it. Changes nothing; the member " +
        "may be stopped or running (then the newest batches may look torn).",
    )
    .addArgument(new Argument("<part>", "what to look at").choices(inspectParts))
    .argument("<directory>", "the data directory of one member")
    .option("--wal-dir <directory>", "where the log is, if not in the data directory")
    .option("--all", "list every batch or row too", false)
    .option("--json", "print JSON", false)
    .addHelpText("after", inspectHelp)
    .action(async (part: InspectSubject, directory: string, options: InspectOptions) => {
      const { inspect } = await import("./inspect/inspect.ts");
      inspect(part, directory, options);
    });
  command.usage("[options] <wal|rows|checkpoint> <directory>");
}

const inspectParts: readonly InspectSubject[] = ["wal", "rows", "checkpoint"];

const inspectHelp = `
A line with ! says what is wrong. Ends with 0 when all is well, else with the
code with which a member would end: 72 damaged, 75 of another member or newer
format, 70 a contradiction that only a bug can make. 64: no such directory.`;

const statusHelp = `
LAG counts the entries behind the highest commit. Members with the same APPLIED
must have the same DIGEST. A line with ! says what is wrong; the exit code is
then 1.`;

function addKeyRange(command: Command): Command {
  return command
    .option("--prefix", "all keys that begin with KEY", false)
    .option("--from-key", "all keys from KEY on", false);
}

/** Defaults only where they say something. */
function optionDescription(option: Option): string {
  const value: unknown = option.defaultValue;
  const isTold = (typeof value === "string" && value !== "") || Number(value) > 0;
  return isTold ? `${option.description} (default: ${value as string})` : option.description;
}

function count(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("It is not a whole number.");
  }
  return value;
}

function port(text: string): number {
  const value = count(text);
  if (value < 1 || value > 65_535) {
    throw new InvalidArgumentError("It is no port.");
  }
  return value;
}

function clusterSize(text: string): number {
  if (!/^[135]$/.test(text)) {
    throw new InvalidArgumentError("It is none of 1, 3, 5.");
  }
  return Number(text);
}
