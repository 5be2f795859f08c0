// Where the members of a local cluster live: names, ports, folders, and the command line of each.
import { join } from "node:path";
import { UsageError } from "../exit.ts";

export interface DevMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly directory: string;
}

export const devHost = "127.0.0.1";
const defaultClientPort = 2379;
/** As etcd's own Procfile: 2379, 22379, 32379, … */
const defaultPortStep = 10_000;
const basePortStep = 10;

export function layOut(
  size: number,
  basePort: number | undefined,
  dataDirectory: string,
): DevMember[] {
  const members: DevMember[] = [];
  for (let at = 0; at < size; at += 1) {
    const clientPort =
      basePort === undefined
        ? defaultClientPort + (at === 0 ? 0 : (at + 1) * defaultPortStep)
        : basePort + at * basePortStep;
    const name = `m${at + 1}`;
    members.push({
      name,
      clientPort,
      peerPort: clientPort + 1,
      directory: join(dataDirectory, name),
    });
  }
  const highest = members[size - 1]!.peerPort;
  if (highest > 65_535) {
    throw new UsageError(`--base-port ${basePort}: the last port would be ${highest}, above 65535`);
  }
  return members;
}

export function clientAddress(member: DevMember): string {
  return `${devHost}:${member.clientPort}`;
}

export function serveArguments(member: DevMember, members: readonly DevMember[]): string[] {
  const peerUrl = (m: DevMember): string => `http://${devHost}:${m.peerPort}`;
  const clientUrl = `http://${clientAddress(member)}`;
  return [
    `--name=${member.name}`,
    `--data-dir=${member.directory}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl(member)}`,
    `--initial-advertise-peer-urls=${peerUrl(member)}`,
    `--initial-cluster=${members.map((m) => `${m.name}=${peerUrl(m)}`).join(",")}`,
    "--initial-cluster-token=quorate-dev",
    "--log-format=json",
  ];
}
