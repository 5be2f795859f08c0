// What a simulated cluster is made of: the configuration of its members, small enough that segments
// roll, checkpoints run and logs are compacted within seconds of virtual time.
import { type HostConfig, hostDefaults, type ListedMember } from "@quorate/host";
import { storageDefaults } from "@quorate/storage";
import type { SimNetwork } from "./sim-network.ts";

export const clusterId = "00000000c1005732";
const token = "sim";

export interface ClusterOptions {
  /** Machines. */
  readonly members: number;
  /** The first so many found the cluster, the others are there to join it; absent: all found it. */
  readonly founders?: number;
  /** Put over the simulator's defaults, equal on all members. */
  readonly host: Partial<HostConfig>;
}

export function memberName(number: number): string {
  return `m${number}`;
}

export function listedMembers(count: number): ListedMember[] {
  return Array.from({ length: count }, (_, number) => {
    const name = memberName(number);
    return {
      memberId: (0xa0 + number).toString(16).padStart(16, "0"),
      name,
      peerUrls: [`http://${name}:2380`],
      peerAddresses: [`${name}:2380`],
    };
  });
}

export function hostConfig(options: ClusterOptions, member: ListedMember): HostConfig {
  return {
    ...hostDefaults,
    requestTimeoutMs: 3000,
    requestBytesMax: 40_000,
    checkpointBytes: 65_536,
    checkpointIntervalMs: 1000,
    catchUpEntriesMax: 200,
    catchUpBytesMax: 65_536,
    snapshotBytesPerSecond: 8_388_608,
    futileBytesMax: 262_144,
    storage: {
      ...storageDefaults,
      walSegmentBytes: 131_072,
      rowSegmentBytes: 65_536,
      unsavedRowBytesMax: 1_048_576,
      rowCacheBytesMax: 65_536,
      sealIdleMs: 50,
      reclaimBytesPerSecond: 1_048_576,
      stagingRecordBytes: 16_384,
    },
    ...options.host,
    memberId: member.memberId,
    clusterId,
    token,
    ...listOf(options, member),
    clientUrls: [`http://${member.name}:2379`],
    directory: directoryOf(member.name),
  };
}

/** Who joins may ask all machines: those that found may be gone by then. */
function listOf(
  { members, founders = members }: ClusterOptions,
  member: ListedMember,
): Pick<HostConfig, "members" | "join"> {
  const listed = listedMembers(founders);
  const founds = listed.some((one) => one.name === member.name);
  return { members: founds ? listed : listedMembers(members), join: !founds };
}

/** Of a machine that is set up anew after its member was removed, as the member of this id. */
export function joiningConfig(
  options: ClusterOptions,
  config: HostConfig,
  memberId: string,
): HostConfig {
  const own = config.members.find((one) => one.memberId === config.memberId);
  const members = listedMembers(options.members).map((one) =>
    one.name === own?.name ? { ...one, memberId } : one,
  );
  return { ...config, memberId, members, join: true };
}

/** The list of a configuration with the addresses at which its machines are found now. */
export function whereAllAre(config: HostConfig, network: SimNetwork): HostConfig {
  const members = config.members.map((one) => {
    const peerAddresses = network.machine(one.name).addresses;
    return { ...one, peerUrls: peerAddresses.map((address) => `http://${address}`), peerAddresses };
  });
  return { ...config, members };
}

export function directoryOf(name: string): string {
  return `/data/${name}`;
}
