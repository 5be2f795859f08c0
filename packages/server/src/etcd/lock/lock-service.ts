// etcd's Lock service (v3lock): a lock is the first place in the queue of its name. The key of the place
// is what the caller holds: its create revision only grows from holder to holder, and so can fence off
// an earlier one whose lease has ended without its knowing.
import { create, toBinary } from "@bufbuild/protobuf";
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi } from "@quorate/host";
import { DeleteRangeRequest } from "@quorate/kv";
import type { Identity } from "@quorate/kv";
import { lock } from "@quorate/proto";
import { decode } from "../messages.ts";
import { headerMessage } from "./header.ts";
import { KeyCalls } from "./key-calls.ts";
import { Queue } from "./queue.ts";
import { leaseFor } from "./session-lease.ts";
import { Refused, runCall } from "./waiting-call.ts";

const noValue = new Uint8Array(0);

export class LockService {
  readonly #host: HostApi;

  constructor(host: HostApi) {
    this.#host = host;
  }

  lock(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(lock.LockRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async (gone) => {
      const calls = new KeyCalls(this.#host, identity);
      const queue = new Queue(calls, request.name);
      const lease = await leaseFor(calls, request.lease);
      const { place, header } = await queue.enter(lease, noValue);
      const holder = await this.#wait(queue, place, gone);
      const response = create(lock.LockResponseSchema, {
        header: headerMessage(holder ?? header),
        key: place.key,
      });
      sink.reply(toBinary(lock.LockResponseSchema, response));
    });
  }

  unlock(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(lock.UnlockRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async () => {
      const calls = new KeyCalls(this.#host, identity);
      const { header } = await calls.delete(new DeleteRangeRequest({ key: request.key }));
      const response = create(lock.UnlockResponseSchema, { header: headerMessage(header) });
      sink.reply(toBinary(lock.UnlockResponseSchema, response));
    });
  }

  /** Whoever goes away, or fails, while it waits gives its place back. */
  async #wait(
    queue: Queue,
    place: Awaited<ReturnType<Queue["enter"]>>["place"],
    gone: AbortSignal,
  ): Promise<Awaited<ReturnType<Queue["holds"]>>> {
    try {
      await queue.first(place, gone);
    } catch (error) {
      await queue.leave(place);
      throw error;
    }
    const header = await queue.holds(place);
    if (header === null) throw new Refused("mutex: session is expired");
    return header;
  }
}
