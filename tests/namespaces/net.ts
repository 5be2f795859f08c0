// Hosts of our own: one network namespace a member, joined by a bridge, cut by nftables. Needs root,
// iproute2 and nftables; says why where it cannot run.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/** Null: it works here. Otherwise one line that says what is missing. */
export function whyNot(): string | null {
  if (process.getuid?.() !== 0) {
    return "network namespaces need root";
  }
  const name = `q${randomBytes(3).toString("hex")}`;
  try {
    run("ip", "netns", "add", name);
  } catch {
    return "ip netns does not work here (Debian: iproute2; the kernel must allow it)";
  }
  try {
    run("ip", "netns", "exec", name, "nft", "add", "table", "inet", "probe");
    return null;
  } catch {
    return "nft does not work here (Debian: nftables)";
  } finally {
    run("ip", "netns", "del", name);
  }
}

/** `count` hosts 10.77.x.11, .12, … on one bridge; the test itself is 10.77.x.1. */
export class Hosts {
  readonly #tag: string;
  readonly #subnet: string;
  readonly #count: number;

  constructor(count: number) {
    this.#tag = `q${randomBytes(3).toString("hex")}`;
    this.#subnet = `10.77.${1 + (randomBytes(1)[0]! % 250)}`;
    this.#count = count;
    const hub = `${this.#tag}-hub`;
    run("ip", "netns", "add", hub);
    inside(hub, "ip", "link", "add", "br0", "type", "bridge");
    inside(hub, "ip", "link", "set", "br0", "up");
    run("ip", "link", "add", this.#tag, "type", "veth", "peer", "name", "test", "netns", hub);
    inside(hub, "ip", "link", "set", "test", "master", "br0", "up");
    run("ip", "address", "add", `${this.#subnet}.1/24`, "dev", this.#tag);
    run("ip", "link", "set", this.#tag, "up");
    for (let host = 0; host < count; host += 1) {
      this.#addHost(hub, host);
    }
  }

  namespace(host: number): string {
    return `${this.#tag}-${host}`;
  }

  address(host: number): string {
    return `${this.#subnet}.${11 + host}`;
  }

  /** Nothing that `from` sends reaches `to`; the other way still works. */
  cutOneWay(from: number, to: number): void {
    const rule = ["ip", "saddr", this.address(from), "drop"];
    inside(this.namespace(to), "nft", "add", "rule", "inet", "cut", "input", ...rule);
  }

  cut(one: number, other: number): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  /** Every pair across the two sides. */
  split(side: readonly number[], others: readonly number[]): void {
    for (const one of side) {
      for (const other of others) {
        this.cut(one, other);
      }
    }
  }

  heal(): void {
    for (let host = 0; host < this.#count; host += 1) {
      inside(this.namespace(host), "nft", "flush", "chain", "inet", "cut", "input");
    }
  }

  remove(): void {
    for (let host = 0; host < this.#count; host += 1) {
      run("ip", "netns", "del", this.namespace(host));
    }
    run("ip", "netns", "del", `${this.#tag}-hub`);
  }

  #addHost(hub: string, host: number): void {
    const name = this.namespace(host);
    const port = `h${host}`;
    run("ip", "netns", "add", name);
    run(
      "ip",
      "link",
      "add",
      "eth0",
      "netns",
      name,
      "type",
      "veth",
      "peer",
      "name",
      port,
      "netns",
      hub,
    );
    inside(hub, "ip", "link", "set", port, "master", "br0", "up");
    inside(name, "ip", "address", "add", `${this.address(host)}/24`, "dev", "eth0");
    inside(name, "ip", "link", "set", "eth0", "up");
    inside(name, "ip", "link", "set", "lo", "up");
    inside(name, "nft", "add", "table", "inet", "cut");
    const hook = "{ type filter hook input priority 0 ; policy accept ; }";
    inside(name, "nft", "add", "chain", "inet", "cut", "input", hook);
  }
}

function inside(namespace: string, ...command: string[]): void {
  run("ip", "netns", "exec", namespace, ...command);
}

function run(command: string, ...parameters: string[]): void {
  execFileSync(command, parameters, { stdio: ["ignore", "ignore", "pipe"] });
}
