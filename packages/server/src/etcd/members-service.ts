// quorate.v1.Members: the members with what etcd's list cannot tell, and several changes in one. Rules
// are the host's; here are ids, URLs and messages.
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { MemberAim, MemberRequestKind } from "@quorate/host";
import type { HostApi, HostStatus, MemberStatus, SingleRequest } from "@quorate/host";
import { members } from "@quorate/proto";
import { checkedUrls } from "./cluster-service.ts";
import { addedMemberIdOf, hexOf, idOf } from "./ids.ts";
import { decode, sinkOf } from "./messages.ts";

export class MembersService {
  readonly #host: HostApi;

  constructor(host: HostApi) {
    this.#host = host;
  }

  list(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(members.ListRequestSchema, message, sink);
    if (request === null) return;
    const answer = (): void => {
      const status = this.#host.status();
      const response = create(members.ListResponseSchema, {
        clusterId: idOf(status.clusterId),
        members: infosOf(status),
      });
      sink.reply(toBinary(members.ListResponseSchema, response));
    };
    if (request.linearizable) this.#host.readBarrier({ ...sinkOf(sink), reply: answer });
    else answer();
  }

  /** The reply comes when this member has applied the change: its table then shows it. */
  change(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(members.ChangeRequestSchema, message, sink);
    if (request === null) return;
    const changes: SingleRequest[] = [];
    for (const each of request.changes) {
      const single = singleOf(each, sink);
      if (single === null) return;
      changes.push(single);
    }
    if (changes.length === 0) return failNothingAsked(sink);
    const several = { kind: MemberRequestKind.Several, changes, force: request.force } as const;
    this.#host.changeMembers(several, {
      ...sinkOf(sink),
      reply: () => {
        const response = create(members.ChangeResponseSchema, {
          members: infosOf(this.#host.status()),
        });
        sink.reply(toBinary(members.ChangeResponseSchema, response));
      },
    });
  }
}

/** Null after the call has been failed. */
function singleOf({ change }: members.MemberChange, sink: GrpcSink): SingleRequest | null {
  switch (change.case) {
    case "add": {
      const { name, learner } = change.value;
      const peerUrls = checkedUrls(change.value.peerUrls, sink);
      if (peerUrls === null) return null;
      const memberId = addedMemberIdOf(peerUrls, Date.now());
      const aim = learner ? MemberAim.Learner : MemberAim.Voter;
      return { kind: MemberRequestKind.Add, memberId, name, peerUrls, aim };
    }
    case "update": {
      const peerUrls = checkedUrls(change.value.peerUrls, sink);
      if (peerUrls === null) return null;
      return { kind: MemberRequestKind.Update, memberId: hexOf(change.value.id), peerUrls };
    }
    case "remove":
      return { kind: MemberRequestKind.Remove, memberId: hexOf(change.value) };
    case "promote":
      return { kind: MemberRequestKind.Promote, memberId: hexOf(change.value) };
    default:
      failNothingAsked(sink);
      return null;
  }
}

function failNothingAsked(sink: GrpcSink): void {
  sink.fail(GrpcCode.InvalidArgument, "quorate: a change of the members that changes nothing");
}

function infosOf(status: HostStatus): members.MemberInfo[] {
  return status.members.map((member) => infoOf(member, status));
}

function infoOf(member: MemberStatus, status: HostStatus): members.MemberInfo {
  const Role = members.MemberInfo_Role;
  const born = member.isLearner ? Role.LEARNER : Role.VOTER;
  return create(members.MemberInfoSchema, {
    id: idOf(member.memberId),
    name: member.name,
    peerUrls: [...member.peerUrls],
    clientUrls: [...member.clientUrls],
    role: member.raftId === 0 ? Role.UNBORN : born,
    reachable:
      member.memberId === status.memberId ||
      status.peers.some((peer) => peer.memberId === member.memberId && peer.connected),
  });
}
