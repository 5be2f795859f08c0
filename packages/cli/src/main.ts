// The entry of the `quorate` command: hands the arguments to a command, and turns what it throws
// into one line on standard error and an exit code.
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { CommanderError } from "commander";
import { CommandError, exitCodes, UsageError } from "./exit.ts";
import { makeProgram } from "./program.ts";
import { asksFor, serveHelp } from "./serve/serve-help.ts";
import { versionText } from "./version.ts";

// Compiling a member's modules costs a second of CPU at every start. The cache lies where whoever can
// write it can write the code too, and where nobody can write there is none.
const compileCache = join(import.meta.dirname, "../node_modules/.cache/compiled");

async function run(argv: readonly string[]): Promise<void> {
  if (argv[0] === "serve") {
    return runServe(argv.slice(1));
  }
  if (argv[0] === "sim") {
    const { simCommand } = await import("@quorate/sim/command");
    process.exitCode = await simCommand(argv.slice(1));
    return;
  }
  const program = makeProgram();
  if (argv.length === 0) {
    process.stderr.write(program.helpInformation());
    process.exitCode = exitCodes.usage;
    return;
  }
  await program.parseAsync(argv, { from: "user" });
}

/** etcd's command line: not commander's, which knows no -name=value. */
async function runServe(argv: readonly string[]): Promise<void> {
  if (asksFor(argv, "--help", "-help", "-h")) {
    process.stdout.write(serveHelp());
  } else if (asksFor(argv, "--version", "-version")) {
    process.stdout.write(versionText());
  } else {
    enableCompileCache(compileCache);
    const { serve } = await import("./serve/serve.ts");
    // At exit it would be written too; a killed member has none.
    flushCompileCache();
    await serve(argv);
  }
}

function fail(error: unknown): void {
  if (error instanceof UsageError) {
    complain(`quorate: ${error.message}`, exitCodes.usage);
  } else if (error instanceof CommanderError) {
    if (error.exitCode !== 0) complain(`quorate: ${commanderLine(error)}`, exitCodes.usage);
  } else if (error instanceof CommandError) {
    complain(`Error: ${error.message}`, exitCodes.failed);
  } else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    complain(`quorate: unexpected error, please report it: ${stack}`, exitCodes.unexpected);
  }
}

/** "error: unknown command 'pt'\n(Did you mean put?)" as one line. */
function commanderLine(error: CommanderError): string {
  if (error.code === "commander.help") {
    return "no such command; quorate --help lists them";
  }
  return error.message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)$/, "; did you mean $1?")
    .replaceAll("\n", " ");
}

function complain(text: string, exitCode: number): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}

// `quorate get … | head`: the reader has enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : exitCodes.unexpected);
});
process.on("uncaughtException", (error) => {
  fail(error);
  process.exit();
});

await run(process.argv.slice(2)).catch(fail);
