// etcd's Downgrade, as of 3.5: may the cluster go back by one minor version, is it on the way. To be on
// the way changes nothing here: each member says by --compat-version what it is, and for another etcd a
// snapshot is the way.
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi, HostStatus } from "@quorate/host";
import { isInFlight, KvError } from "@quorate/kv";
import type { Identity } from "@quorate/kv";
import { etcd } from "@quorate/proto";
import { downgradeTargetError, downgradeVersionError, kvErrorOf } from "./errors.ts";
import type { EtcdError } from "./errors.ts";
import type { ServiceFacts } from "./facts.ts";
import { decode, headerOf, sinkOf } from "./messages.ts";
import { Release, releaseOf } from "./release.ts";

export class DowngradeService {
  readonly #host: HostApi;
  readonly #release: Release;
  /** The cluster's version. */
  readonly #version: { readonly major: number; readonly minor: number };

  constructor(host: HostApi, { etcdVersion }: ServiceFacts) {
    const [major = 0, minor = 0] = etcdVersion.split(".").map(Number);
    this.#host = host;
    this.#release = releaseOf(etcdVersion);
    this.#version = { major, minor };
  }

  downgrade(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    if (this.#release === Release.V34) {
      const text = "unknown method Downgrade for service etcdserverpb.Maintenance";
      return sink.fail(GrpcCode.Unimplemented, text);
    }
    const request = decode(etcd.DowngradeRequestSchema, message, sink);
    if (request === null) return;
    const { VALIDATE, ENABLE, CANCEL } = etcd.DowngradeRequest_DowngradeAction;
    const { version } = request;
    switch (request.action) {
      case VALIDATE:
        return this.#validate(version, sink, () => sink.reply(this.#response()));
      case ENABLE:
        return this.#validate(version, sink, () => this.#change(this.#allowed, sink, identity));
      case CANCEL:
        return this.#change("", sink, identity);
      default:
        return sink.fail(GrpcCode.Unknown, "etcdserver: unknown method");
    }
  }

  /** A field of Status since 3.6. */
  statusInfo({ downgradeTarget }: HostStatus): { readonly downgradeInfo?: etcd.DowngradeInfo } {
    if (this.#release !== Release.V36) return {};
    const enabled = isInFlight(downgradeTarget, this.#clusterVersion);
    const targetVersion = enabled ? downgradeTarget : "";
    return { downgradeInfo: create(etcd.DowngradeInfoSchema, { enabled, targetVersion }) };
  }

  get #clusterVersion(): string {
    const { major, minor } = this.#version;
    return `${major}.${minor}.0`;
  }

  /** The one version that a cluster may go back to. */
  get #allowed(): string {
    const { major, minor } = this.#version;
    return `${major}.${minor - 1}.0`;
  }

  /** By what this member has applied after a read barrier. */
  #validate(version: string, sink: GrpcSink, valid: () => void): void {
    const target = clusterVersionOf(version);
    if (target === null) return fail(sink, downgradeVersionError);
    if (target !== this.#allowed) return fail(sink, downgradeTargetError);
    this.#host.readBarrier({
      ...sinkOf(sink),
      reply: () => {
        const { downgradeTarget } = this.#host.status();
        const busy = isInFlight(downgradeTarget, this.#clusterVersion);
        if (busy) fail(sink, kvErrorOf(KvError.DowngradeInFlight));
        else valid();
      },
    });
  }

  #change(target: string, sink: GrpcSink, identity: Identity): void {
    const command = { target, clusterVersion: this.#clusterVersion };
    const answer = { ...sinkOf(sink), reply: () => sink.reply(this.#response()) };
    this.#host.downgrade(command, answer, identity);
  }

  #response(): Uint8Array {
    const status = this.#host.status();
    const header = headerOf(status, status.revision);
    const response = { header, version: this.#clusterVersion };
    return toBinary(etcd.DowngradeResponseSchema, create(etcd.DowngradeResponseSchema, response));
  }
}

function fail(sink: GrpcSink, { code, text }: EtcdError): void {
  sink.fail(code, text);
}

/** Of "3.4", "3.4.1" or "3.4.0-rc.1", whose patch says nothing; null: no version. */
function clusterVersionOf(version: string): string | null {
  const match = /^([0-9]+)\.([0-9]+)(?:\.[0-9]+(?:-[^+]*)?(?:\+.*)?)?$/.exec(version);
  return match === null ? null : `${Number(match[1])}.${Number(match[2])}.0`;
}
