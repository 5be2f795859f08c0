// The messages in the body of a call: one, or of a bidirectional call each as it comes.
import { GrpcCode } from "@quorate/grpc";
import type { CallBody } from "./body.ts";
import type { GatewayCall } from "./call.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import type { BytesBudget, NoRoom } from "./growing-buffer.ts";
import { messageFromJson } from "./json/from-json.ts";
import type { Raw } from "./json/raw.ts";
import { JsonStream } from "./json/stream.ts";
import { CallKind } from "./routes.ts";
import type { Route } from "./routes.ts";

export interface Reading {
  readonly route: Route;
  readonly body: CallBody;
  readonly call: GatewayCall;
  readonly budget: BytesBudget;
  readonly messageBytesMax: number;
}

/** JSON takes more room than the message: base64 four thirds, names and escapes more. */
export const jsonBytesPerMessageByte = 4;

/** Hands over each message; what follows the one message of a unary call is not looked at, as in etcd. */
export function readMessages(reading: Reading, receive: (message: Uint8Array) => void): void {
  const { route, body, call, budget, messageBytesMax } = reading;
  const bidi = route.kind === CallKind.Bidi;
  let received = 0;
  const refuse = (error: string): void => {
    // Go's client of a bidirectional call does not say what was wrong with later messages.
    if (received === 0) call.refuse(bidi ? GrpcCode.Unknown : GrpcCode.InvalidArgument, error);
    else call.onHalfClose?.();
  };
  const value = (raw: Raw): boolean => {
    const message = messageFromJson(route.input, raw);
    if (typeof message === "string") {
      refuse(message);
      return false;
    }
    if (message.length > messageBytesMax) {
      call.abort(GrpcCode.ResourceExhausted, tooLarge(message.length, messageBytesMax));
      return false;
    }
    received += 1;
    receive(message);
    return bidi && !call.ended;
  };
  const jsonBytesMax = jsonBytesPerMessageByte * messageBytesMax;
  const overflow = (why: NoRoom): void => {
    call.closeConnection();
    const text =
      why === "no room" ? "etcdserver: too many requests" : tooLarge(jsonBytesMax, messageBytesMax);
    call.abort(GrpcCode.ResourceExhausted, text);
  };
  const stream = new JsonStream(new GrowingBuffer(budget, jsonBytesMax), {
    value,
    refused: refuse,
    overflow,
  });
  body.listen({
    data: (chunk) => stream.push(chunk),
    close: () => stream.close(),
    end: () => {
      stream.end();
      if (received > 0) call.onHalfClose?.();
      else if (bidi) call.finish();
      // An empty body is an empty message.
      else if (!call.ended) receive(new Uint8Array(0));
    },
  });
}

/** grpc-go's words. */
function tooLarge(bytes: number, max: number): string {
  return `grpc: received message larger than max (${bytes} vs. ${max})`;
}
