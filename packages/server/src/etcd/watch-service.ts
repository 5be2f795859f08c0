// etcd's Watch: a call carries one stream of watchers of the host; the messages pass as they are, with who
// sends them, in their order.
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi, WatchStream } from "@quorate/host";
import type { Access } from "../auth/access.ts";
import { sinkOf } from "./messages.ts";

export class WatchService {
  readonly #host: HostApi;
  readonly #access: Access;
  readonly #streams: Map<GrpcSink, WatchStream>;

  constructor(host: HostApi, access: Access) {
    this.#host = host;
    this.#access = access;
    this.#streams = new Map();
  }

  /** The next message of a call. That the client has said all it will say ends nothing (W7). */
  message(message: Uint8Array, sink: GrpcSink): void {
    const stream = this.#streams.get(sink) ?? this.#open(sink);
    this.#access.identify(sink, (caller) => stream.message(message, caller));
  }

  #open(sink: GrpcSink): WatchStream {
    const failing = sinkOf(sink);
    const stream = this.#host.watch(
      {
        write: (bytes) => void sink.write(bytes),
        get buffered() {
          return sink.buffered;
        },
        connection: sink.peer,
        get needsDrain() {
          return sink.needsDrain;
        },
        fail: (failure) => {
          this.#streams.delete(sink);
          failing.fail(failure);
        },
      },
      sink.metadata["hasleader"] === "true",
    );
    this.#streams.set(sink, stream);
    sink.onDrain = () => stream.drained();
    sink.onCancel = () => {
      this.#streams.delete(sink);
      stream.close();
    };
    return stream;
  }
}
