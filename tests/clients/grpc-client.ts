// grpc-js with services that @grpc/proto-loader makes of etcd's public protos at run time: how whoever
// has no client library calls etcd from Node.
import { join } from "node:path";
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import type {
  CallOptions,
  ChannelCredentials,
  ChannelOptions,
  ClientDuplexStream,
  ClientReadableStream,
  GrpcObject,
  ServiceClientConstructor,
  ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const folder = join(import.meta.dirname, "../../packages/proto/proto");
const definition = loadSync(
  [
    "etcdserverpb/rpc.proto",
    "v3lockpb/v3lock.proto",
    "v3electionpb/v3election.proto",
    "grpc/health/v1/health.proto",
  ],
  { includeDirs: [folder], keepCase: true, longs: String, enums: String, defaults: true },
);
const packages = loadPackageDefinition(definition);

/** What the loader makes of a message; 64-bit numbers are texts, bytes are buffers. */
export interface Header {
  readonly cluster_id: string;
  readonly member_id: string;
  readonly revision: string;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly version: string;
  readonly lease: string;
  readonly mod_revision: string;
  readonly create_revision: string;
}

export interface RangeReply {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: string;
}

export interface WatchReply {
  readonly header: Header;
  readonly watch_id: string;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: string;
  readonly cancel_reason: string;
  readonly events: readonly { type: string; kv: KeyValue; prev_kv: KeyValue | null }[];
}

type ServiceClient = InstanceType<ServiceClientConstructor>;
type Unary = (
  request: object,
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, reply?: object) => void,
) => void;
type Readable = (
  request: object,
  metadata: Metadata,
  options?: CallOptions,
) => ClientReadableStream<object>;
type Duplex = (metadata: Metadata, options?: CallOptions) => ClientDuplexStream<object, object>;

function constructorOf(path: string): ServiceClientConstructor {
  let found: GrpcObject = packages;
  const words = path.split(".");
  for (const word of words.slice(0, -1)) found = found[word] as GrpcObject;
  return found[words.at(-1)!] as ServiceClientConstructor;
}

export class GrpcJs {
  readonly #target: string;
  readonly #credentials: ChannelCredentials;
  readonly #options: ChannelOptions;
  readonly #clients: Map<string, ServiceClient>;
  /** Sent with every call. */
  readonly metadata: Metadata;

  constructor(
    target: string,
    channel: ChannelCredentials = credentials.createInsecure(),
    options: ChannelOptions = {},
  ) {
    this.#target = target;
    this.#credentials = channel;
    this.#options = options;
    this.#clients = new Map();
    this.metadata = new Metadata();
  }

  /** `service`: "etcdserverpb.KV"; `method`: "Range". */
  unary<Reply>(
    service: string,
    method: string,
    request: object,
    options: CallOptions = { deadline: Date.now() + patienceMs },
  ): Promise<Reply> {
    const client = this.#client(service);
    const call = client[method] as unknown as Unary;
    return new Promise((resolve, reject) => {
      call.call(client, request, this.metadata, options, (error, reply) => {
        if (error === null) resolve(reply as Reply);
        else reject(error);
      });
    });
  }

  readable(service: string, method: string, request: object): ClientReadableStream<object> {
    const client = this.#client(service);
    return (client[method] as unknown as Readable).call(client, request, this.metadata);
  }

  duplex(service: string, method: string): ClientDuplexStream<object, object> {
    const client = this.#client(service);
    return (client[method] as unknown as Duplex).call(client, this.metadata);
  }

  put(key: string, value: string | Buffer, more: object = {}): Promise<{ header: Header }> {
    const request = { key: Buffer.from(key), value: Buffer.from(value), ...more };
    return this.unary("etcdserverpb.KV", "Put", request);
  }

  range(key: string, more: object = {}): Promise<RangeReply> {
    return this.unary("etcdserverpb.KV", "Range", { key: Buffer.from(key), ...more });
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(service: string): ServiceClient {
    let client = this.#clients.get(service);
    if (client === undefined) {
      client = new (constructorOf(service))(this.#target, this.#credentials, this.#options);
      this.#clients.set(service, client);
    }
    return client;
  }
}

/** Far above what any call needs on a loaded machine. */
const patienceMs = 60_000;

/** The messages of a stream, one after the other. */
export class Messages<Message> {
  readonly #stream: ClientReadableStream<object>;
  readonly #waiting: Message[];
  #end: Error | "ended" | null;
  #wake: () => void;

  constructor(stream: ClientReadableStream<object>) {
    this.#stream = stream;
    this.#waiting = [];
    this.#end = null;
    this.#wake = () => undefined;
    stream.on("data", (message) => {
      this.#waiting.push(message as Message);
      this.#wake();
    });
    stream.on("end", () => this.#ended("ended"));
    stream.on("error", (error) => this.#ended(error));
  }

  /** Throws what the stream ended with. */
  async next(): Promise<Message> {
    while (this.#waiting.length === 0) {
      if (this.#end !== null) throw this.#end === "ended" ? new Error("ended") : this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#waiting.shift()!;
  }

  cancel(): void {
    this.#stream.cancel();
  }

  #ended(end: Error | "ended"): void {
    if (this.#end === null || end !== "ended") this.#end = end;
    this.#wake();
  }
}
