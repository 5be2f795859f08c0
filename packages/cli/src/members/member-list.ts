// The members of a cluster as its operator sees them, and requests to change them (quorate.v1.Members).
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { members as proto } from "@quorate/proto";
import { table } from "@quorate/base";
import type { ClusterClient } from "../client/cluster-client.ts";
import { CommandError } from "../exit.ts";
import { hexId } from "../status/member-report.ts";

/** unborn: its process has never been heard; it costs no quorum. */
export type MemberRole = "voter" | "learner" | "unborn";

export interface Member {
  /** 16 hex digits. */
  readonly id: string;
  /** Empty: it has told none. */
  readonly name: string;
  readonly role: MemberRole;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  /** By the member that was asked. */
  readonly reachable: boolean;
}

const roles: Readonly<Record<number, MemberRole>> = {
  [proto.MemberInfo_Role.VOTER]: "voter",
  [proto.MemberInfo_Role.LEARNER]: "learner",
  [proto.MemberInfo_Role.UNBORN]: "unborn",
};

/**
 * As they are now; where no quorum answers, as the first member has them that does. Somebody who is cut off,
 * or was just removed, would else tell of the past.
 */
export async function listMembers(client: ClusterClient): Promise<Member[]> {
  try {
    return await list(client, true);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return list(client, false);
  }
}

async function list(client: ClusterClient, linearizable: boolean): Promise<Member[]> {
  const request = create(proto.ListRequestSchema, { linearizable });
  const answer = await client.read(
    "/quorate.v1.Members/List",
    toBinary(proto.ListRequestSchema, request),
  );
  const { members } = fromBinary(proto.ListResponseSchema, answer);
  return members.map(memberOf).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

export type Change =
  | {
      readonly kind: "add";
      readonly name: string;
      readonly peerUrls: readonly string[];
      readonly learner: boolean;
    }
  | { readonly kind: "update"; readonly id: string; readonly peerUrls: readonly string[] }
  | { readonly kind: "remove" | "promote"; readonly id: string };

/** All of it in force, or none; throws CommandError with the cluster's reason. */
export async function changeMembers(
  client: ClusterClient,
  changes: readonly Change[],
  force: boolean,
): Promise<void> {
  const request = create(proto.ChangeRequestSchema, { changes: changes.map(messageOf), force });
  await client.call("/quorate.v1.Members/Change", toBinary(proto.ChangeRequestSchema, request));
}

function messageOf(change: Change): proto.MemberChange {
  const { name, peerUrls, learner } = { name: "", peerUrls: [], learner: false, ...change };
  switch (change.kind) {
    case "add":
      return create(proto.MemberChangeSchema, {
        change: {
          case: "add",
          value: create(proto.MemberAdditionSchema, { name, peerUrls: [...peerUrls], learner }),
        },
      });
    case "update": {
      const value = create(proto.MemberUrlsSchema, {
        id: BigInt(`0x${change.id}`),
        peerUrls: [...peerUrls],
      });
      return create(proto.MemberChangeSchema, { change: { case: "update", value } });
    }
    default: {
      const value = BigInt(`0x${change.id}`);
      return create(proto.MemberChangeSchema, { change: { case: change.kind, value } });
    }
  }
}

function memberOf(info: proto.MemberInfo): Member {
  const { id, name, role, peerUrls, clientUrls, reachable } = info;
  return { id: hexId(id), name, role: roles[role] ?? "learner", peerUrls, clientUrls, reachable };
}

/** What a person calls it: its name, or its id while it has told none. */
export function nameOf({ name, id }: Pick<Member, "name" | "id">): string {
  return name === "" ? id : name;
}

/** By name, or by id as etcdctl and `list` print it. */
export function findMember(members: readonly Member[], who: string): Member {
  const id = /^[0-9a-fA-F]{1,16}$/.test(who) ? who.toLowerCase().padStart(16, "0") : "";
  const found = members.find((m) => m.name === who) ?? members.find((m) => m.id === id);
  if (found !== undefined) return found;
  const names = members.map(nameOf).join(", ");
  throw new CommandError(`no member has the name or id "${who}"; there are ${names}`);
}

const head = ["NAME", "ID", "ROLE", "PEER URL", "CLIENT URL"];

/** At most 80 columns for names of up to ten characters and IPv4; with https:// more. */
export function membersTable(members: readonly Member[]): string {
  const rows = members.flatMap((member) => {
    const lines = Math.max(1, member.peerUrls.length, member.clientUrls.length);
    return Array.from({ length: lines }, (_, at) => [
      ...(at === 0 ? [member.name || "-", member.id, member.role] : ["", "", ""]),
      bare(member.peerUrls, at),
      bare(member.clientUrls, at),
    ]);
  });
  return `${table([head, ...rows])}\n`;
}

function bare(urls: readonly string[], at: number): string {
  const url = urls[at] ?? (at === 0 ? "-" : "");
  return url.replace(/^http:\/\//, "");
}
