// What `quorate serve --help` prints: the flags that have an effect, at 80 columns.
import { environmentName, FlagKind, flags, FlagState } from "./flags.ts";

const headLines = [
  "Usage: quorate serve [flags]",
  "",
  "Runs one member of a cluster. Flags and environment variables are etcd's, both",
  "--name value and --name=value; flag over environment over --config-file. Flags",
  "of etcd that have no effect here are accepted, and the log says so.",
  "",
  "Flags:",
];

const tailLines = [
  "",
  "Environment: ETCD_ and the flag's name in capitals (ETCD_DATA_DIR); QUORATE_ for",
];

const exampleLines = [
  "",
  "Example, a cluster of one:",
  "  quorate serve --name m1 --data-dir /var/lib/quorate",
  "",
];

/** True when the command line only asks for the help or the version; etcd's spellings too. */
export function asksFor(argv: readonly string[], ...words: readonly string[]): boolean {
  return argv.some((word) => words.includes(word));
}

export function serveHelp(): string {
  const used = flags.filter((flag) => flag.state === FlagState.Used);
  const rows = used.flatMap((flag) => {
    const value = flag.kind === FlagKind.Bool ? "" : flag.kind === FlagKind.Int ? " N" : " TEXT";
    return [`  --${flag.name}${value}`, `      ${flag.help}`];
  });
  const own = used.map(environmentName).filter((name) => name.startsWith("QUORATE_"));
  return [
    ...headLines,
    ...rows,
    ...tailLines,
    ...own.map((name) => `  ${name}`),
    ...exampleLines,
  ].join("\n");
}
