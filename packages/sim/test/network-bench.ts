// Machines with nothing but a recorder on each, for tests of the simulated network alone.
import assert from "node:assert/strict";
import type { Link, LinkEnd, LinkEvents, Transport } from "@quorate/storage";
import { SimNetwork } from "../src/sim-network.ts";
import { World } from "../src/world.ts";
import { PlainUser } from "./plain-user.ts";

/** Records everything that happens at one end of a link. */
export class Tap implements LinkEvents {
  opened = false;
  drains = 0;
  readonly got: number[] = [];
  readonly ends: LinkEnd[] = [];
  link: Link | null = null;

  onOpen(): void {
    assert.equal(this.opened, false);
    this.opened = true;
  }
  onBytes(bytes: Uint8Array): void {
    assert.equal(this.ends.length, 0, "bytes after the end");
    this.got.push(bytes[0]!);
  }
  onDrain(): void {
    this.drains++;
  }
  onEnd(end: LinkEnd): void {
    this.ends.push(end);
  }
}

export class NetworkBench {
  readonly world: World;
  readonly network: SimNetwork;
  readonly users: PlainUser[] = [];
  readonly transports: Transport[] = [];
  readonly accepted: Tap[] = [];

  constructor(seed: number, count = 2) {
    this.world = new World(seed);
    this.network = new SimNetwork(this.world, this.world.random("network"));
    for (let i = 0; i < count; i++) this.network.addMachine(`m${i}`, [`m${i}:2380`]);
    for (let i = 0; i < count; i++) this.boot(i);
  }

  boot(i: number): void {
    const user = new PlainUser(`m${i}`);
    this.users[i] = user;
    const transport = this.network.attach(user, `m${i}`);
    this.transports[i] = transport;
    transport.listen((link) => {
      const tap = new Tap();
      tap.link = link;
      this.accepted.push(tap);
      return tap;
    });
  }

  dial(from: number, to: number): Tap {
    const tap = new Tap();
    tap.link = this.transports[from]!.dial(`m${to}:2380`, tap);
    return tap;
  }

  /** An open link and its accepted other end. */
  connect(from: number, to: number): [Tap, Tap] {
    const before = this.accepted.length;
    const dialer = this.dial(from, to);
    assert.ok(this.world.runUntil(() => dialer.opened, 10_000));
    return [dialer, this.accepted[before]!];
  }

  die(i: number, powerLost: boolean): void {
    this.users[i]!.alive = false;
    this.network.detach(this.users[i]!, powerLost);
  }
}

export const packet = (value: number, length = 1): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes[0] = value;
  return bytes;
};
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
