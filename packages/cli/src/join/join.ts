// `quorate join`: asks a running cluster for its members, adds this one unless it is there, and runs it
// in this process. A used directory says by itself who it is: then nothing is added any more.
import { createSocket } from "node:dgram";
import { existsSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { saysTls, tlsOf } from "../client/client-tls.ts";
import type { TlsFlags } from "../client/client-tls.ts";
import { ClusterClient } from "../client/cluster-client.ts";
import { parseEndpoints, splitEndpoint } from "../client/endpoints.ts";
import { CommandError } from "../exit.ts";
import { changeMembers, listMembers } from "../members/member-list.ts";
import type { Member } from "../members/member-list.ts";
import { checkAddition, checkPile, noPlan } from "../members/plan.ts";
import { parseUrls } from "../serve/cluster-list.ts";
import { serve } from "../serve/serve.ts";

export interface JoinOptions extends TlsFlags {
  readonly dataDir: string;
  readonly name: string;
  readonly peerUrl: string;
  readonly clientUrl: string;
  readonly learner: boolean;
  readonly timeout: number;
}

/** What this member says of itself. */
export interface Place {
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}

export async function join(
  endpointList: string,
  flags: readonly string[],
  options: JoinOptions,
): Promise<void> {
  const endpoints = parseEndpoints(endpointList, saysTls(options));
  const client = new ClusterClient(endpoints, options.timeout * 1000, tlsOf(options));
  const place = await placeOf(options, flags, endpoints[0]!);
  const used = existsSync(options.dataDir) && readdirSync(options.dataDir).length > 0;
  const members = await membersOf(client, used);
  if (!used && toBeAdded(members, place)) {
    const { learner } = options;
    const addition = { name: place.name, peerUrls: place.peerUrls, learner };
    checkPile(members, { ...noPlan, additions: [addition] });
    await changeMembers(client, [{ kind: "add", ...addition }], false);
  }
  await serve([...serveFlags(members, place, options.dataDir), ...flags]);
}

/** A member with a directory can start although nobody answers. */
async function membersOf(client: ClusterClient, used: boolean): Promise<Member[]> {
  try {
    return await listMembers(client);
  } catch (error) {
    if (used && error instanceof CommandError) return [];
    throw error;
  }
}

/** False: it was added before. Refused with the next step where it can be neither. */
export function toBeAdded(members: readonly Member[], place: Place): boolean {
  const urls = place.peerUrls.join();
  const there = members.find((m) => m.peerUrls.join() === urls);
  if (there === undefined) {
    checkAddition(members, { name: place.name, peerUrls: place.peerUrls, learner: false });
    return true;
  }
  if (there.role !== "unborn") {
    throw new CommandError(
      `the member ${there.name} at ${urls} has been started before, with another data ` +
        "directory: start it with that one, or say another --peer-url and --name",
    );
  }
  if (there.name !== "" && there.name !== place.name) {
    throw new CommandError(
      `the member at ${urls} was added as ${there.name}: say --name ${there.name}`,
    );
  }
  return false;
}

export function serveFlags(
  members: readonly Member[],
  { name, peerUrls, clientUrls }: Place,
  dataDir: string,
): string[] {
  const others = members.filter((m) => m.peerUrls.join() !== peerUrls.join());
  const listed = [
    ...others
      // By the id too: an unnamed one, or one that has this name from before.
      .map((m) => ({ name: m.name === "" || m.name === name ? m.id : m.name, urls: m.peerUrls })),
    { name, urls: peerUrls },
  ];
  const cluster = listed.flatMap((m) => m.urls.map((url) => `${m.name}=${url}`)).join(",");
  return [
    `--name=${name}`,
    `--data-dir=${dataDir}`,
    `--listen-peer-urls=${peerUrls.join()}`,
    `--initial-advertise-peer-urls=${peerUrls.join()}`,
    `--listen-client-urls=${clientUrls.join()}`,
    `--advertise-client-urls=${clientUrls.join()}`,
    `--initial-cluster=${cluster}`,
    "--initial-cluster-state=existing",
  ];
}

async function placeOf(
  options: JoinOptions,
  flags: readonly string[],
  endpoint: string,
): Promise<Place> {
  const own = options.peerUrl && options.clientUrl ? "" : await ownAddress(endpoint);
  return {
    name: options.name || hostname(),
    peerUrls: parseUrls(options.peerUrl || `${schemeOf(flags, "peer-")}://${own}:2380`, "peer-url"),
    clientUrls: parseUrls(
      options.clientUrl || `${schemeOf(flags, "")}://${own}:2379`,
      "client-url",
    ),
  };
}

/** https where the member is given a certificate for these connections. */
function schemeOf(flags: readonly string[], prefix: string): string {
  const names = new Set([`${prefix}cert-file`, `${prefix}auto-tls`]);
  const isGiven = flags.some((flag) => names.has(flag.replace(/^--?|=.*$/g, "")));
  return isGiven ? "https" : "http";
}

/** From which this machine would reach the endpoint; nothing is sent for it. */
function ownAddress(endpoint: string): Promise<string> {
  const { host, port } = splitEndpoint(endpoint);
  const isV6 = host.includes(":");
  const socket = createSocket(isV6 ? "udp6" : "udp4");
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close();
      reject(
        new CommandError(
          `cannot tell this machine's address (${error.message}): say --peer-url and --client-url`,
        ),
      );
    };
    socket.on("error", fail);
    socket.connect(port, host, () => {
      const { address } = socket.address();
      socket.close();
      resolve(isV6 ? `[${address}]` : address);
    });
  });
}
