// Asks for every port of a local cluster before anything is started or written.
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../exit.ts";
import { devHost } from "./layout.ts";
import type { DevMember } from "./layout.ts";

/** A cluster that was killed a moment ago may still be on its way out. */
const patienceMs = 3000;
const retryMs = 100;

/** Throws UsageError that names port and member; `patient`: waits a little for a port to be freed. */
export async function checkPorts(members: readonly DevMember[], patient: boolean): Promise<void> {
  const deadlineMs = performance.now() + (patient ? patienceMs : 0);
  for (;;) {
    const problem = await firstProblem(members);
    if (problem === null) {
      return;
    }
    if (performance.now() >= deadlineMs) {
      throw new UsageError(problem);
    }
    await sleep(retryMs);
  }
}

async function firstProblem(members: readonly DevMember[]): Promise<string | null> {
  for (const { name, clientPort, peerPort } of members) {
    for (const [port, what] of [
      [clientPort, "clients"],
      [peerPort, "peers"],
    ] as const) {
      const code = await bindError(port);
      if (code !== null) {
        const why = code === "EADDRINUSE" ? "is in use" : `cannot be used (${code})`;
        const hint = code === "EADDRINUSE" ? "; try --base-port" : "";
        return `port ${port} (${name}, for ${what}) ${why}${hint}`;
      }
    }
  }
  return null;
}

function bindError(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: devHost, port, exclusive: true }, () => {
      server.close(() => resolve(null));
    });
  });
}
