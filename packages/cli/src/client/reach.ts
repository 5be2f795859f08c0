// Whether something listens at an address, asked before a call: a call to an endpoint that was never
// reached can go to the next one without doubt.
import net from "node:net";
import { splitEndpoint } from "./endpoints.ts";

/** As etcdctl's --dial-timeout. */
const dialTimeoutMs = 2000;

/** Null: reachable; otherwise why not. */
export function reach(address: string, timeoutMs: number = dialTimeoutMs): Promise<string | null> {
  const { host, port } = splitEndpoint(address);
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const finish = (reason: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.on("connect", () => finish(null));
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
  return reasons[code] ?? (code || error.message);
}
