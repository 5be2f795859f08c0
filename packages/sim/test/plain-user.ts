// A process without anything in it, for tests of the disk and the network alone.
import type { SimUser } from "../src/sim-user.ts";

export class PlainUser implements SimUser {
  readonly name: string;
  alive: boolean;

  constructor(name: string) {
    this.name = name;
    this.alive = true;
  }

  run(task: () => void): void {
    if (this.alive) task();
  }
}
