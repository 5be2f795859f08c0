// One call of etcd's Snapshot: the body in blobs, then its SHA-256. It sends as fast as the client reads
// and its pace lets it; what it holds of this member it lets go as soon as the call ends in any way.
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import type { HeldState, SnapshotPace } from "@quorate/host";
import { etcd } from "@quorate/proto";
import { RowsDamaged } from "@quorate/storage";
import { SnapshotBody } from "../backend/snapshot-body.ts";

/** etcd's. */
export const blobBytes = 32_768;
/** Rows measured at a time. */
const measureBytes = 131_072;
/** Measuring copies and sends nothing. */
const measureCost = 0.25;
/** A client that takes nothing for so long is given up: old segments stay on the disk for it. */
const silentMsMax = 600_000;

export interface SnapshotStreamEvents {
  /** The client takes more. */
  onReady(): void;
  /** In any way; nothing is called afterwards. */
  onEnded(): void;
}

export class SnapshotStream {
  readonly #sink: GrpcSink;
  readonly #state: HeldState;
  readonly #body: SnapshotBody;
  readonly #hash: Hash;
  readonly #events: SnapshotStreamEvents;
  #measured: boolean;
  #sentBytes: number;
  /** The client reads slowly; since when. */
  #blocked: boolean;
  #blockedMs: number;
  #isOver: boolean;

  constructor(sink: GrpcSink, state: HeldState, events: SnapshotStreamEvents) {
    this.#sink = sink;
    this.#state = state;
    this.#body = new SnapshotBody(state, blobBytes);
    this.#hash = createHash("sha256");
    this.#events = events;
    this.#measured = false;
    this.#sentBytes = 0;
    this.#blocked = false;
    this.#blockedMs = 0;
    this.#isOver = false;
    sink.onCancel = () => this.#end();
    sink.onDrain = () => {
      this.#blocked = false;
      if (!this.#isOver) this.#events.onReady();
    };
  }

  /** One piece of work, if the pace lets it; false: nothing more now. */
  step(pace: SnapshotPace, nowMs: number): boolean {
    if (this.#isOver) return false;
    if (this.#blocked) {
      if (nowMs - this.#blockedMs > silentMsMax) this.#fail(timedOut);
      return false;
    }
    if (!this.#measured) return pace.take(measureBytes * measureCost) && this.#measure();
    return pace.take(blobBytes) && this.#send(nowMs);
  }

  #measure(): boolean {
    const measured = this.#body.measure(measureBytes);
    if (measured instanceof RowsDamaged) return this.#fail(corrupt);
    this.#measured = measured;
    return true;
  }

  #send(nowMs: number): boolean {
    const blob = this.#body.next();
    if (blob instanceof RowsDamaged) return this.#fail(corrupt);
    if (blob === null) {
      this.#sink.write(encode(0, this.#hash.digest()));
      this.#sink.finish();
      this.#end();
      return false;
    }
    this.#hash.update(blob);
    this.#sentBytes += blob.length;
    this.#blocked = !this.#sink.write(encode(this.#body.bytes - this.#sentBytes, blob));
    this.#blockedMs = nowMs;
    return !this.#blocked;
  }

  #fail({ code, text }: { readonly code: GrpcCode; readonly text: string }): false {
    this.#sink.fail(code, text);
    this.#end();
    return false;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#state.release();
    this.#events.onEnded();
  }
}

const corrupt = { code: GrpcCode.DataLoss, text: "etcdserver: corrupt cluster" };
const timedOut = { code: GrpcCode.Unavailable, text: "etcdserver: request timed out" };

function encode(remaining: number, blob: Uint8Array): Uint8Array {
  const fields = { remainingBytes: BigInt(remaining), blob };
  return toBinary(etcd.SnapshotResponseSchema, create(etcd.SnapshotResponseSchema, fields));
}
