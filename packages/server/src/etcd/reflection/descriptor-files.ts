// What is in which .proto file: of the files that services stand in, and of those that they import. Files,
// symbols and extensions by name, as server reflection is asked for them.
import { toBinary } from "@bufbuild/protobuf";
import type { DescFile, DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type {
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";

export class DescriptorFiles {
  readonly services: readonly string[];
  /** By name, as imports have it. */
  readonly #files: Map<string, FileDescriptorProto>;
  readonly #encoded: Map<string, Uint8Array>;
  /** Full name of whatever has one → the name of its file. */
  readonly #symbols: Map<string, string>;
  /** Full name of a message → number of each extension of it → the name of its file. */
  readonly #extensions: Map<string, Map<number, string>>;

  constructor(services: readonly DescService[]) {
    this.services = services.map(({ typeName }) => typeName).sort();
    this.#files = new Map();
    this.#encoded = new Map();
    this.#symbols = new Map();
    this.#extensions = new Map();
    for (const { file } of services) this.#addFile(file);
  }

  has(fileName: string): boolean {
    return this.#files.has(fileName);
  }

  /** Undefined: nothing has that name. */
  fileOf(symbol: string): string | undefined {
    return this.#symbols.get(symbol);
  }

  fileOfExtension(message: string, number: number): string | undefined {
    return this.#extensions.get(message)?.get(number);
  }

  /** Ascending; undefined: there is no such message. */
  extensionsOf(message: string): readonly number[] | undefined {
    const known = this.#extensions.get(message);
    return known === undefined ? undefined : [...known.keys()].sort((a, b) => a - b);
  }

  /** The file and all that it imports, directly or not; the file itself comes first. */
  closureOf(fileName: string): readonly string[] {
    const names = new Set([fileName]);
    // What is added meanwhile is visited too.
    for (const name of names) {
      for (const imported of this.#files.get(name)?.dependency ?? []) names.add(imported);
    }
    return [...names];
  }

  /** As a FileDescriptorProto. */
  bytesOf(fileName: string): Uint8Array {
    const known = this.#encoded.get(fileName);
    if (known !== undefined) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, this.#files.get(fileName)!);
    this.#encoded.set(fileName, bytes);
    return bytes;
  }

  #addFile({ proto, dependencies }: DescFile): void {
    if (this.#files.has(proto.name)) return;
    this.#files.set(proto.name, proto);
    for (const imported of dependencies) this.#addFile(imported);
    const { name: file } = proto;
    for (const message of proto.messageType) this.#addMessage(file, proto.package, message);
    for (const each of proto.enumType) this.#addEnum(file, proto.package, each);
    for (const each of proto.extension) this.#addExtension(file, proto.package, each);
    for (const service of proto.service) {
      const name = this.#addSymbol(file, proto.package, service.name);
      for (const method of service.method) this.#addSymbol(file, name, method.name);
    }
  }

  #addMessage(file: string, scope: string, message: DescriptorProto): void {
    const name = this.#addSymbol(file, scope, message.name);
    if (!this.#extensions.has(name)) this.#extensions.set(name, new Map());
    for (const { name: field } of message.field) this.#addSymbol(file, name, field);
    for (const { name: oneof } of message.oneofDecl) this.#addSymbol(file, name, oneof);
    for (const nested of message.nestedType) this.#addMessage(file, name, nested);
    for (const each of message.enumType) this.#addEnum(file, name, each);
    for (const each of message.extension) this.#addExtension(file, name, each);
  }

  /** Values of an enum are named beside it, not within. */
  #addEnum(file: string, scope: string, { name, value }: EnumDescriptorProto): void {
    this.#addSymbol(file, scope, name);
    for (const each of value) this.#addSymbol(file, scope, each.name);
  }

  #addExtension(file: string, scope: string, extension: FieldDescriptorProto): void {
    this.#addSymbol(file, scope, extension.name);
    const message = extension.extendee.replace(/^\./, "");
    const known = this.#extensions.get(message) ?? new Map<number, string>();
    this.#extensions.set(message, known.set(extension.number, file));
  }

  #addSymbol(file: string, scope: string, name: string): string {
    const full = scope === "" ? name : `${scope}.${name}`;
    this.#symbols.set(full, file);
    return full;
  }
}
