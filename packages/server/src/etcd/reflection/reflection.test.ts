// Server reflection over real HTTP/2 streams: every kind of request, both versions; and that a client
// which knows nothing beforehand can build each served method's messages from the answers alone.
import { deepEqual, equal, ok } from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { after, before, test } from "node:test";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { GrpcServer } from "@quorate/grpc";
import { etcd, reflection } from "@quorate/proto";
import { methods } from "../services.ts";
import { DescriptorFiles } from "./descriptor-files.ts";
import { ReflectionService } from "./reflection-service.ts";

const { ServerReflectionRequestSchema, ServerReflectionResponseSchema } = reflection;
type Asked = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;
type Answer = reflection.ServerReflectionResponse["messageResponse"];

const service = new ReflectionService();
const grpc = new GrpcServer({
  methods,
  messageBytesMax: 65_536,
  streamsPerConnectionMax: 100,
  headerBytesMax: 16_384,
  handler: { onMessage: (_method, message, sink) => service.message(message, sink) },
});
const listener = net.createServer((socket) => grpc.accept(socket));
let address: string;

before(async () => {
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(listener.address() as net.AddressInfo).port}`;
});

after(() => {
  grpc.destroy();
  listener.close();
});

/** All questions on one stream; the answers, and the status at its end. */
async function ask(
  questions: readonly Asked[],
  version: string = "v1",
): Promise<{ readonly answers: Answer[]; readonly status: unknown }> {
  const session = http2.connect(address);
  const stream = session.request({
    ":method": "POST",
    ":path": `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status: unknown;
  const chunks: Buffer[] = [];
  stream.on("response", (headers) => (status ??= headers["grpc-status"]));
  stream.on("trailers", (headers) => (status ??= headers["grpc-status"]));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const messageRequest of questions) {
    const request = create(ServerReflectionRequestSchema, { host: "here", messageRequest });
    const bytes = toBinary(ServerReflectionRequestSchema, request);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.length, 1);
    stream.write(Buffer.concat([prefix, bytes]));
  }
  stream.end();
  await new Promise((resolve) => stream.on("close", resolve));
  session.destroy();
  return { answers: answersIn(Buffer.concat(chunks), questions), status };
}

function answersIn(bytes: Buffer, questions: readonly Asked[]): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    const response = fromBinary(ServerReflectionResponseSchema, bytes.subarray(at + 5, end));
    equal(response.validHost, "here");
    equal(response.originalRequest!.messageRequest.case, questions[answers.length]!.case);
    answers.push(response.messageResponse);
    at = end;
  }
  return answers;
}

/** Names of the files in an answer, in their order. */
function fileNames(answer: Answer): string[] {
  equal(answer.case, "fileDescriptorResponse");
  return answer.value.fileDescriptorProto.map(
    (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
  );
}

const isNotFound = (answer: Answer): void => {
  deepEqual(
    [answer.case, (answer.value as reflection.ErrorResponse).errorCode],
    ["errorResponse", 5],
  );
};

for (const version of ["v1", "v1alpha"]) {
  test(`${version}: services, and from their names every served method`, async () => {
    const listed = await ask([{ case: "listServices", value: "" }], version);
    equal(listed.status, "0");
    const [answer] = listed.answers;
    equal(answer!.case, "listServicesResponse");
    const names = answer!.value.service.map(({ name }) => name);
    deepEqual(names, [...names].sort());
    for (const path of methods.keys()) ok(names.includes(path.split("/")[1]!), path);

    const questions = names.map((value) => ({ case: "fileContainingSymbol", value }) as const);
    const set = create(FileDescriptorSetSchema);
    for (const files of (await ask(questions, version)).answers) {
      equal(files.case, "fileDescriptorResponse");
      const { fileDescriptorProto } = files.value;
      // The file before its imports; a registry wants them the other way round.
      for (const bytes of fileDescriptorProto.toReversed()) {
        const file = fromBinary(FileDescriptorProtoSchema, bytes);
        if (!set.file.some(({ name }) => name === file.name)) set.file.push(file);
      }
    }
    const registry = createFileRegistry(set);
    for (const path of methods.keys()) {
      const [, typeName = "", rpc] = path.split("/");
      const built = registry.getService(typeName);
      ok(
        built?.methods.some(({ name }) => name === rpc),
        path,
      );
    }
    const put = registry.getMessage("etcdserverpb.PutRequest")!;
    const bytes = toBinary(put, create(put, { key: new Uint8Array([1]), ignoreLease: true }));
    const { key, ignoreLease } = fromBinary(etcd.PutRequestSchema, bytes);
    deepEqual([[...key], ignoreLease], [[1], true]);
  });
}

test("a file by its name or by what is in it; its imports once a stream", async () => {
  const rpc = "etcdserverpb/rpc.proto";
  const imports = ["mvccpb/kv.proto", "authpb/auth.proto"];
  const { answers, status } = await ask([
    { case: "fileByFilename", value: rpc },
    { case: "fileContainingSymbol", value: "etcdserverpb.KV.Put" },
    { case: "fileContainingSymbol", value: "etcdserverpb.RangeRequest.SortOrder" },
    { case: "fileContainingSymbol", value: "etcdserverpb.RangeRequest.ASCEND" },
    { case: "fileContainingSymbol", value: "etcdserverpb.PutRequest.prev_kv" },
    { case: "fileContainingSymbol", value: "etcdserverpb.Compare.target_union" },
    { case: "fileByFilename", value: "mvccpb/kv.proto" },
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "fileContainingSymbol", value: "etcdserverpb.KV.Nothing" },
  ]);
  equal(status, "0");
  const [first, ...others] = answers;
  deepEqual(fileNames(first!).slice(0, 1), [rpc]);
  deepEqual(fileNames(first!).slice(1).sort(), [...imports].sort());
  for (const answer of others.slice(0, 5)) deepEqual(fileNames(answer), [rpc]);
  deepEqual(fileNames(others[5]!), ["mvccpb/kv.proto"]);
  isNotFound(others[6]!);
  isNotFound(others[7]!);
  equal(answers.length, 9);
});

test("extensions: of messages that have none, and of none", async () => {
  const extension = { containingType: "etcdserverpb.PutRequest", extensionNumber: 50_000 };
  const { answers } = await ask([
    { case: "allExtensionNumbersOfType", value: "etcdserverpb.PutRequest" },
    { case: "allExtensionNumbersOfType", value: "etcdserverpb.Nothing" },
    { case: "fileContainingExtension", value: extension },
  ]);
  deepEqual(answers[0]!.case, "allExtensionNumbersResponse");
  const { baseTypeName, extensionNumber } = answers[0]!.value;
  deepEqual([baseTypeName, extensionNumber], ["etcdserverpb.PutRequest", []]);
  isNotFound(answers[1]!);
  isNotFound(answers[2]!);
});

test("extensions are found by the message that they extend and their number", () => {
  const proto = create(FileDescriptorSetSchema, {
    file: [
      {
        name: "base.proto",
        syntax: "proto2",
        package: "a",
        messageType: [{ name: "Base", extensionRange: [{ start: 100, end: 200 }] }],
      },
      {
        name: "more.proto",
        syntax: "proto2",
        package: "b",
        dependency: ["base.proto"],
        extension: [extensionOf("second", 150), extensionOf("first", 120)],
        messageType: [{ name: "Holder", extension: [extensionOf("inner", 130)] }],
        service: [{ name: "S" }],
      },
    ],
  });
  const registry = createFileRegistry(proto);
  const files = new DescriptorFiles([registry.getService("b.S")!]);
  deepEqual(files.extensionsOf("a.Base"), [120, 130, 150]);
  equal(files.fileOfExtension("a.Base", 130), "more.proto");
  equal(files.fileOfExtension("a.Base", 131), undefined);
  equal(files.fileOf("b.Holder.inner"), "more.proto");
  equal(files.fileOf("b.first"), "more.proto");
  deepEqual(files.closureOf("more.proto"), ["more.proto", "base.proto"]);
});

function extensionOf(name: string, number: number) {
  return { name, number, extendee: ".a.Base", label: 1, type: 9 } as const;
}

test("a request that asks nothing ends its stream", async () => {
  const { answers, status } = await ask([{ case: undefined }]);
  deepEqual(answers, []);
  equal(status, "3");
});
