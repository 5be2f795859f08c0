// The options of `quorate recover …` and their help; what they do is in their own files.
import { type Command, InvalidArgumentError } from "commander";
import { addTls, saysTls, tlsOf } from "../client/client-tls.ts";
import type { TlsFlags } from "../client/client-tls.ts";
import { parseEndpoints } from "../client/endpoints.ts";
import { seconds } from "../client/shared-options.ts";
import type { ApplyOptions } from "./apply.ts";
import type { FenceOptions } from "./fence.ts";
import type { PeerTlsFlags } from "./peer-tls.ts";
import type { PlanOptions } from "./plan.ts";

export function addRecover(program: Command): void {
  const recover = program
    .command("recover")
    .summary("bring back a cluster that lost quorum")
    .description(
      "Brings back a cluster of which so many members are lost for good that the others are no " +
        "quorum any more: collect, plan, apply, verify. For the first three the members must be " +
        "stopped.",
    )
    .addHelpText("after", recoverHelp);
  addCollect(recover);
  addPlan(recover);
  addApply(recover);
  addVerify(recover);
  addFence(recover);
  addExplain(recover);
}

function addCollect(recover: Command): void {
  recover
    .command("collect")
    .summary("show what is left")
    .description("Shows what stands in the data directories of stopped members. Changes nothing.")
    .argument("<directory...>", "data directories, or DIRECTORY,WAL-DIRECTORY")
    .action(async (directories: string[]) => {
      const { collect } = await import("./collect.ts");
      collect(directories);
    });
}

function addPlan(recover: Command): void {
  recover
    .command("plan")
    .summary("say what a recovery would keep and lose")
    .description("Says what a recovery would do, and what it might lose and why. Changes nothing.")
    .argument("<directory...>", "data directories, or DIRECTORY,WAL-DIRECTORY")
    .option("--dead <names>", "members that will never come back, by name or id", splitNames, [])
    .option("--bump-revision <n>", "leave out so many revisions", revisionBump, 1_000_000_000)
    .option("--out <file>", "where the plan goes", "recovery-plan.json")
    .action(async (directories: string[], options: PlanOptions) => {
      const { plan } = await import("./plan.ts");
      plan(directories, options);
    });
}

function addApply(recover: Command): void {
  recover
    .command("apply")
    .summary("carry out a plan")
    .description(
      "Carries out a plan: writes new data directories, then puts them in the place of the old " +
        "ones, which are kept beside them. Can be repeated.",
    )
    .argument("<plan>", "the plan's file")
    .option("--confirm <word>", "the word of the plan, where something may be lost")
    .action(async (file: string, options: ApplyOptions) => {
      const { apply } = await import("./apply.ts");
      await apply(file, options);
    });
  recover
    .command("abandon")
    .summary("take an apply back")
    .description(
      "Puts the old directories back, as long as no member has been started on a new one. Can be " +
        "repeated.",
    )
    .argument("<plan>", "the plan's file")
    .action(async (file: string) => {
      const { abandon } = await import("./abandon.ts");
      await abandon(file);
    });
}

function addVerify(recover: Command): void {
  const verify = recover
    .command("verify")
    .summary("see that the survivors are one cluster")
    .description(
      "Asks the survivors that were started: one cluster, one state, a write and its read at each; " +
        "and sees that no old member answers: one that does is told, and ends.",
    )
    .argument("<plan>", "the plan's file")
    .argument("<endpoint...>", "host:port for clients, of all survivors")
    .option("--timeout <seconds>", "how long to wait for each answer", seconds, 10)
    .option("--peer-trusted-ca-file <file>", "as the members' flag, where peers speak TLS", "")
    .option("--peer-cert-file <file>", "what to show to peers", "")
    .option("--peer-key-file <file>", "its key", "")
    .addHelpText("after", verifyHelp)
    .action(async (file: string, list: string[], options: VerifyOptions) => {
      const { verify: run } = await import("./verify.ts");
      const { peerTlsOf } = await import("./peer-tls.ts");
      const endpoints = parseEndpoints(list.join(), saysTls(options));
      const timeoutMs = options.timeout * 1000;
      const peerTls = peerTlsOf(options);
      await run(file, { endpoints, timeoutMs, tls: tlsOf(options), peerTls });
    });
  addTls(verify);
}

function addFence(recover: Command): void {
  recover
    .command("fence")
    .summary("close the disks of dead members")
    .description(
      "Writes a tombstone into data directories of members that the plan has given up: a start " +
        "there ends with 74 and says why. Refuses what the plan keeps. Can be repeated.",
    )
    .argument("<plan>", "the plan's file")
    .argument("<directory...>", "data directories of dead members")
    .option("--lift", "take the tombstones of an abandoned plan away", false)
    .action(async (file: string, directories: string[], options: FenceOptions) => {
      const { fence } = await import("./fence.ts");
      await fence(file, directories, options);
    });
}

function addExplain(recover: Command): void {
  recover
    .command("explain")
    .summary("say what happened and what comes next")
    .description(
      "Says in sentences what happened, what is certain, what may be lost, and what to do next. " +
        "Changes nothing.",
    )
    .argument("<plan>", "the plan's file, or a data directory")
    .action(async (path: string) => {
      const { explain } = await import("./explain.ts");
      explain(path);
    });
}

interface VerifyOptions extends TlsFlags, PeerTlsFlags {
  readonly timeout: number;
}

const verifyHelp = `
Where peers speak TLS, old members are asked with a member's own peer files, best
on its machine: they look at the address that a certificate comes from. A line
with ! says what is wrong; the exit code is then 1.`;

const recoverHelp = `
If enough members can still be started to make a quorum, just start them. Else
  quorate recover collect DIR...              what is left
  quorate recover plan DIR... --dead a,b      what would be kept and lost
  quorate recover apply recovery-plan.json    new directories for the survivors
Then start the survivors with their old flags and --initial-cluster-state
existing, and add new members. They are a new cluster: the old members are
refused, and end with 74.
  quorate recover verify recovery-plan.json ENDPOINT...   are they one cluster?
  quorate recover fence recovery-plan.json DIR...         close old disks
  quorate recover explain recovery-plan.json              where do I stand?`;

function splitNames(text: string): string[] {
  return text.split(",").filter((name) => name !== "");
}

function revisionBump(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= 2 ** 50) return value;
  throw new InvalidArgumentError("A number of revisions from 1 on.");
}
