// gRPC server reflection, versions v1 and v1alpha, whose messages are the same: which services there are,
// and the .proto files that describe them, for clients that are built without (grpcurl, say).
import { create, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { reflection, servedServices } from "@quorate/proto";
import { decode } from "../messages.ts";
import { DescriptorFiles } from "./descriptor-files.ts";

/** Answers that a client lets lie before its stream is ended. */
const unreadBytesMax = 1_048_576;

type Answer = NonNullable<
  MessageInitShape<typeof reflection.ServerReflectionResponseSchema>["messageResponse"]
>;

export class ReflectionService {
  /** Null until somebody asks. */
  #files: DescriptorFiles | null;
  /** Names of the files that each stream was sent: none is sent twice as an import. */
  readonly #sent: WeakMap<GrpcSink, Set<string>>;

  constructor() {
    this.#files = null;
    this.#sent = new WeakMap();
  }

  /** One request of a stream, and its answer. */
  message(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(reflection.ServerReflectionRequestSchema, message, sink);
    if (request === null) return;
    if (sink.buffered > unreadBytesMax) {
      return sink.fail(GrpcCode.ResourceExhausted, "etcdserver: too many requests");
    }
    const sent = this.#sent.get(sink) ?? new Set<string>();
    this.#sent.set(sink, sent);
    sink.onHalfClose = () => sink.finish();
    this.#files ??= new DescriptorFiles(servedServices);
    const messageResponse = answerTo(request.messageRequest, this.#files, sent);
    if (messageResponse === null) {
      return sink.fail(GrpcCode.InvalidArgument, "invalid MessageRequest: <nil>");
    }
    const response = create(reflection.ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse,
    });
    sink.write(toBinary(reflection.ServerReflectionResponseSchema, response));
  }
}

/** Null: nothing is asked. */
function answerTo(
  asked: reflection.ServerReflectionRequest["messageRequest"],
  files: DescriptorFiles,
  sent: Set<string>,
): Answer | null {
  switch (asked.case) {
    case "listServices": {
      const service = files.services.map((name) => ({ name }));
      return { case: "listServicesResponse", value: { service } };
    }
    case "fileByFilename":
      return filesAnswer(files.has(asked.value) ? asked.value : undefined, files, sent);
    case "fileContainingSymbol":
      return filesAnswer(files.fileOf(asked.value), files, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      return filesAnswer(files.fileOfExtension(containingType, extensionNumber), files, sent);
    }
    case "allExtensionNumbersOfType": {
      const numbers = files.extensionsOf(asked.value);
      if (numbers === undefined) return notFound;
      const value = { baseTypeName: asked.value, extensionNumber: [...numbers] };
      return { case: "allExtensionNumbersResponse", value };
    }
    default:
      return null;
  }
}

/** The file itself in any case, its imports as far as this stream has not had them. */
function filesAnswer(
  fileName: string | undefined,
  files: DescriptorFiles,
  sent: Set<string>,
): Answer {
  if (fileName === undefined) return notFound;
  const names = files.closureOf(fileName).filter((name, at) => at === 0 || !sent.has(name));
  for (const name of names) sent.add(name);
  const fileDescriptorProto = names.map((name) => files.bytesOf(name));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

const notFound: Answer = {
  case: "errorResponse",
  value: { errorCode: GrpcCode.NotFound, errorMessage: "not found" },
};
