// Whether something listens at an address, and is who it must be where TLS is spoken; asked before a call:
// a call to an endpoint that was never reached can go to the next one without doubt.
import net from "node:net";
import tls from "node:tls";
import { machineTls, secureOptions } from "@quorate/grpc";
import type { GrpcTls } from "@quorate/grpc";
import { isSecure, splitEndpoint } from "./endpoints.ts";

/** As etcdctl's --dial-timeout. */
const dialTimeoutMs = 2000;

/** Null: reachable; otherwise why not. */
export function reach(
  address: string,
  security: GrpcTls = machineTls,
  timeoutMs: number = dialTimeoutMs,
): Promise<string | null> {
  const { host, port } = splitEndpoint(address);
  const servername = net.isIP(host) === 0 ? host : "";
  const speaksTls = isSecure(address);
  return new Promise((resolve) => {
    const socket = speaksTls
      ? tls.connect({ host, port, servername, ...secureOptions(security) })
      : net.connect({ host, port });
    const finish = (reason: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.on(speaksTls ? "secureConnect" : "connect", () => finish(null));
    socket.on("error", (error: NodeJS.ErrnoException) => finish(reasonOf(error)));
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name could not be looked up",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
};

function reasonOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? "";
  // Of TLS the words say more than the code.
  return reasons[code] ?? (/^E[A-Z]+$/.test(code) ? code : error.message || code);
}
