// etcd's Cluster service: the members as they are, and requests to change them. Rules are the host's;
// here are ids, URLs and messages.
import { create, toBinary } from "@bufbuild/protobuf";
import type { GrpcSink } from "@quorate/grpc";
import { MemberAim, MemberError, MemberRequestKind } from "@quorate/host";
import type { HostApi, HostStatus, MemberRequest, MemberStatus } from "@quorate/host";
import { etcd } from "@quorate/proto";
import { memberErrorOf } from "./errors.ts";
import { addedMemberIdOf, hexOf, idOf } from "./ids.ts";
import { decode, headerOf, sinkOf } from "./messages.ts";

export class ClusterService {
  readonly #host: HostApi;

  constructor(host: HostApi) {
    this.#host = host;
  }

  /** 3.5 and later ask for a linearizable list; 3.4's requests carry no such field. */
  memberList(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MemberListRequestSchema, message, sink);
    if (request === null) {
      return;
    }
    const answer = (): void => {
      const response = create(etcd.MemberListResponseSchema, this.#members());
      sink.reply(toBinary(etcd.MemberListResponseSchema, response));
    };
    if (request.linearizable) {
      this.#host.readBarrier({ ...sinkOf(sink), reply: answer });
    } else {
      answer();
    }
  }

  memberAdd(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MemberAddRequestSchema, message, sink);
    const peerUrls = request === null ? null : checkedUrls(request.peerURLs, sink);
    if (request === null || peerUrls === null) {
      return;
    }
    const memberId = addedMemberIdOf(peerUrls, Date.now());
    const aim = request.isLearner ? MemberAim.Learner : MemberAim.Voter;
    const add = { kind: MemberRequestKind.Add, memberId, name: "", peerUrls, aim } as const;
    this.#change(add, sink, () => {
      const { header, members } = this.#members();
      const member = members.find((m) => m.ID === idOf(memberId)) ?? create(etcd.MemberSchema);
      const response = create(etcd.MemberAddResponseSchema, { header, member, members });
      return toBinary(etcd.MemberAddResponseSchema, response);
    });
  }

  memberRemove(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MemberRemoveRequestSchema, message, sink);
    if (request === null) {
      return;
    }
    const remove = { kind: MemberRequestKind.Remove, memberId: hexOf(request.ID) } as const;
    this.#change(remove, sink, () => {
      const response = create(etcd.MemberRemoveResponseSchema, this.#members());
      return toBinary(etcd.MemberRemoveResponseSchema, response);
    });
  }

  memberUpdate(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MemberUpdateRequestSchema, message, sink);
    const peerUrls = request === null ? null : checkedUrls(request.peerURLs, sink);
    if (request === null || peerUrls === null) {
      return;
    }
    const memberId = hexOf(request.ID);
    this.#change({ kind: MemberRequestKind.Update, memberId, peerUrls }, sink, () => {
      const response = create(etcd.MemberUpdateResponseSchema, this.#members());
      return toBinary(etcd.MemberUpdateResponseSchema, response);
    });
  }

  memberPromote(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MemberPromoteRequestSchema, message, sink);
    if (request === null) {
      return;
    }
    const promote = { kind: MemberRequestKind.Promote, memberId: hexOf(request.ID) } as const;
    this.#change(promote, sink, () => {
      const response = create(etcd.MemberPromoteResponseSchema, this.#members());
      return toBinary(etcd.MemberPromoteResponseSchema, response);
    });
  }

  /** The reply comes when this member has applied the change: its table then shows it. */
  #change(request: MemberRequest, sink: GrpcSink, answer: () => Uint8Array): void {
    this.#host.changeMembers(request, { ...sinkOf(sink), reply: () => sink.reply(answer()) });
  }

  #members(): { readonly header: etcd.ResponseHeader; readonly members: etcd.Member[] } {
    const status: HostStatus = this.#host.status();
    return { header: headerOf(status, 0), members: status.members.map(memberOf) };
  }
}

function memberOf(member: MemberStatus): etcd.Member {
  return create(etcd.MemberSchema, {
    ID: idOf(member.memberId),
    name: member.name,
    peerURLs: [...member.peerUrls],
    clientURLs: [...member.clientUrls],
    isLearner: member.isLearner,
  });
}

/** Sorted; null after the call has been failed. */
export function checkedUrls(urls: readonly string[], sink: GrpcSink): string[] | null {
  const checked = urls.map(checkedUrl);
  const distinct = new Set(checked);
  if (checked.length === 0 || checked.includes("") || distinct.size !== checked.length) {
    const { code, text } = memberErrorOf(MemberError.BadUrls);
    sink.fail(code, text);
    return null;
  }
  return checked.sort();
}

/** http(s)://host:port and nothing more, as a member listens; empty: not such a URL. */
function checkedUrl(text: string): string {
  const trimmed = text.trim().replace(/\/$/, "");
  return /^https?:\/\/(?:\[[0-9a-fA-F:.]+\]|[^\s/:?#@[\]]+):[0-9]{1,5}$/.test(trimmed)
    ? trimmed
    : "";
}
