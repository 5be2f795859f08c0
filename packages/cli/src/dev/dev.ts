// `quorate dev`: a local cluster in this terminal. Checks everything first, writes nothing when it
// refuses, says `ready` once every member serves, and stops the members on Ctrl-C.
import { resolve } from "node:path";
import { UsageError } from "../exit.ts";
import { quorateVersion } from "../version.ts";
import { checkFolder, prepareFolder } from "./data-folder.ts";
import { DevCluster } from "./dev-cluster.ts";
import { clientAddress, devHost, layOut } from "./layout.ts";
import type { DevMember } from "./layout.ts";
import { checkPorts } from "./ports.ts";
import { Screen, wantsColour } from "./screen.ts";

export interface DevOptions {
  readonly basePort?: number;
  readonly dataDir: string;
  readonly members: number;
  readonly verbose: boolean;
}

/** npm passes a Ctrl-C on that this process got from the terminal already: one press, two signals. */
const samePressMs = 500;

export async function dev(options: DevOptions): Promise<void> {
  if (options.dataDir === "") {
    throw new UsageError("--data-dir: no folder named");
  }
  const folder = resolve(options.dataDir);
  const members = layOut(options.members, options.basePort, folder);
  const exists = checkFolder(folder, members);
  await checkPorts(members, exists);
  prepareFolder(folder, members);

  const screen = new Screen(options.verbose, wantsColour(process.stderr, process.env));
  const cluster = new DevCluster(members, screen, () => {
    screen.say(["ready", ...hints(members)].join("\n"));
  });
  stopOnSignals(cluster, screen);
  screen.say(`quorate ${quorateVersion}: ${count(members.length)}, data in ${folder}`);
  const running = cluster.run();
  screen.say(endpointLines(members, cluster.pids()));
  process.exitCode = await running;
  screen.say(`stopped; the data stays in ${folder}`);
}

function stopOnSignals(cluster: DevCluster, screen: Screen): void {
  let firstMs = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!cluster.stopping) {
      firstMs = performance.now();
      screen.say(`stopping (${signal}); once more kills`);
      cluster.stop();
    } else if (performance.now() - firstMs >= samePressMs) {
      screen.say("killing the members");
      cluster.kill();
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
}

function endpointLines(members: readonly DevMember[], pids: ReadonlyMap<string, number>): string {
  const lines = members.map((member) => {
    const clients = clientAddress(member).padEnd(15);
    const peers = `${devHost}:${member.peerPort}`.padEnd(15);
    return `  ${member.name}  clients ${clients}  peers ${peers}  pid ${pids.get(member.name)}`;
  });
  return lines.join("\n");
}

function hints(members: readonly DevMember[]): string[] {
  const first = clientAddress(members[0]!);
  const last = clientAddress(members[members.length - 1]!);
  const flag = first === "127.0.0.1:2379" ? "" : ` --endpoints ${first}`;
  return [
    "",
    "Try in another terminal:",
    `  npx quorate put greeting hello${flag}`,
    `  ETCDCTL_API=3 etcdctl --endpoints=${last} get greeting`,
    `  npx quorate status${flag}`,
    "Ctrl-C stops the cluster; the data stays.",
    "",
  ];
}

function count(members: number): string {
  return members === 1 ? "1 member" : `${members} members`;
}
