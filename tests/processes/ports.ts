// Free ports for members that are killed and started again on them: below the range from which the
// kernel takes ports for outgoing connections, so that none of those sits on one in between.
import { randomInt } from "node:crypto";
import net from "node:net";

// Test files that run at the same time take them from ranges of their own: a member that is down for a
// moment must find its port free when it comes back.
const lowest = 10_000;
const rangePorts = 5_000;
const ranges = 4;
const range = (Number(process.env["NODE_TEST_WORKER_ID"] ?? 1) - 1) % ranges;
const triesMax = 1000;
/** etcd's and `npm start`'s own: left alone. */
const reserved: ReadonlySet<number> = new Set([22379, 22380]);

/** The first of `count` ports in a row, `step` apart, of which each and the next one up are free. */
export async function freePorts(count: number, step: number = 2): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const from = lowest + range * rangePorts;
    const first = randomInt(from, from + rangePorts - count * step);
    const ports = Array.from({ length: count }, (_, at) => first + at * step);
    const all = ports.flatMap((port) => [port, port + 1]);
    if (all.some((port) => reserved.has(port))) continue;
    const free = await Promise.all(all.map(isFree));
    if (!free.includes(false)) {
      return first;
    }
  }
  throw new Error(`no ${count} free ports in ${triesMax} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
