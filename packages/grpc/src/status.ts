// gRPC status codes (grpc/doc/statuscodes.md), the ones etcd uses and the ones the wire needs.

export const GrpcCode = {
  Ok: 0,
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

/** The `grpc-message` trailer: UTF-8, percent-encoded outside printable ASCII (gRPC over HTTP/2). */
export function encodeGrpcMessage(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** The reverse; an invalid escape stays as it is, as the specification asks. */
export function decodeGrpcMessage(text: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const escape = /^%([0-9a-fA-F]{2})/.exec(text.slice(at, at + 3));
    if (escape === null) {
      bytes.push(text.charCodeAt(at) & 0xff);
    } else {
      bytes.push(Number.parseInt(escape[1]!, 16));
      at += 2;
    }
  }
  return Buffer.from(bytes).toString("utf8");
}
