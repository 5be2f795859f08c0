// The network between simulated machines: dialling, refusing, cuts in one or both directions, and
// what links see when a process is killed (they end after a delay) or a machine loses power (they
// fall silent). Delays, losses and duplicates come from the network's own stream.
import { assert, must } from "@quorate/base";
import { type Link, LinkEnd, type LinkEvents, type Transport } from "@quorate/storage";
import { type NetworkOptions, networkDefaults } from "./network/network-options.ts";
import { type LinkNetwork, SimConnection, SimEnd } from "./network/sim-link.ts";
import { SimMachine } from "./network/sim-machine.ts";
import type { Wiretap } from "./network/wiretap.ts";
import type { Way } from "./network/way.ts";
import type { SimRandom } from "./sim-random.ts";
import type { SimUser } from "./sim-user.ts";
import type { World } from "./world.ts";

export class SimNetwork implements LinkNetwork {
  readonly world: World;
  readonly random: SimRandom;
  readonly options: NetworkOptions;
  onSend: ((from: SimUser, to: SimMachine, bytes: Uint8Array) => void) | null;
  /** A story that loses single sends; null: none. */
  loses: LinkNetwork["loses"];
  onDamageTaken: ((receiver: SimEnd) => void) | null;
  /** Records what is sent, for replays; null: nobody listens in. */
  tap: Wiretap | null;
  readonly #machines: Map<string, SimMachine>;
  readonly #byAddress: Map<string, SimMachine>;
  readonly #connections: Set<SimConnection>;

  constructor(world: World, random: SimRandom) {
    this.world = world;
    this.random = random;
    this.options = { ...networkDefaults };
    this.onSend = null;
    this.loses = null;
    this.onDamageTaken = null;
    this.tap = null;
    this.#machines = new Map();
    this.#byAddress = new Map();
    this.#connections = new Set();
  }

  addMachine(name: string, addresses: readonly string[]): SimMachine {
    assert(!this.#machines.has(name), () => `SimNetwork: the machine ${name} exists`);
    const machine = new SimMachine(name, []);
    this.#machines.set(name, machine);
    this.move(name, addresses);
    return machine;
  }

  /** It is found there now, and nobody is where it was; connections stay. */
  move(name: string, addresses: readonly string[]): void {
    const machine = this.machine(name);
    for (const address of machine.addresses) this.#byAddress.delete(address);
    for (const address of addresses) {
      assert(!this.#byAddress.has(address), () => `SimNetwork: the address ${address} is taken`);
      this.#byAddress.set(address, machine);
    }
    machine.addresses = addresses;
  }

  hasMachine(name: string): boolean {
    return this.#machines.has(name);
  }

  machine(name: string): SimMachine {
    return must(this.#machines.get(name), `SimNetwork: no machine ${name}`);
  }

  /** The network as one process on that machine uses it. */
  attach(user: SimUser, machineName: string): Transport {
    const machine = this.machine(machineName);
    machine.up = true;
    return {
      dial: (address, events) => this.#dial(user, machine, address, events),
      listen: (accept) => {
        const other = machine.listener;
        assert(other === null || other.user === user, "SimNetwork: the address is in use");
        machine.listener = { user, accept };
      },
    };
  }

  /** The process is dead. With the power gone, nobody is told. */
  detach(user: SimUser, powerLost: boolean): void {
    for (const machine of this.#machines.values()) {
      if (machine.listener?.user === user) machine.listener = null;
    }
    for (const connection of [...this.#connections]) {
      for (const end of connection.ends()) {
        if (end.user !== user || end.ended) continue;
        end.abandon();
        if (powerLost) end.machine.up = false;
        // A kernel that finds unread bytes at a close resets instead of finishing politely.
        else if (this.random.chance(0.25)) end.reset();
        else end.sendEnd(LinkEnd.Closed);
      }
    }
  }

  /** No process need have lived there. */
  powerOff(machineName: string): void {
    this.machine(machineName).up = false;
  }

  // ---- cuts -------------------------------------------------------------------------------------

  cutOneWay(from: string, to: string): void {
    this.machine(from).cutTo.add(this.machine(to));
    this.world.note("network", "cut", { from, to });
  }

  cut(a: string, b: string): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  /** Members of different groups do not reach each other; inside a group nothing changes. */
  partition(groups: readonly (readonly string[])[]): void {
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const from of group) for (const to of other) this.cutOneWay(from, to);
      }
    }
  }

  healOneWay(from: string, to: string): void {
    this.machine(from).cutTo.delete(this.machine(to));
    this.world.note("network", "heal", { from, to });
    this.#retryStalled();
  }

  heal(): void {
    for (const machine of this.#machines.values()) {
      machine.cutTo.clear();
      machine.refuses.clear();
    }
    this.world.note("network", "heal");
    this.#retryStalled();
  }

  #retryStalled(): void {
    for (const connection of [...this.#connections]) {
      for (const end of connection.ends()) end.retry();
    }
  }

  /** Nothing enters or leaves the machine until as many `release`. */
  stall(name: string): void {
    this.machine(name).stalls++;
    this.world.note("network", "stall", { machine: name });
  }

  release(name: string): void {
    const machine = this.machine(name);
    assert(machine.stalls > 0, () => `SimNetwork.release: ${name} is not stalled`);
    machine.stalls--;
    this.world.note("network", "release", { machine: name });
    this.#retryStalled();
  }

  /** The way from one machine to another, for whoever makes it worse. */
  way(from: string, to: string): Way {
    return this.machine(from).wayTo(this.machine(to));
  }

  /** Cuts and clogs end, all ways are as good as the network's options say. */
  mend(): void {
    for (const machine of this.#machines.values()) for (const way of machine.ways()) way.mend();
    for (const connection of [...this.#connections]) {
      for (const end of connection.ends()) end.unclog();
    }
    this.heal();
  }

  /** Ends every link between the two as a proxy would, and refuses new ones from `from`. */
  blink(from: string, to: string): void {
    this.machine(to).refuses.add(this.machine(from));
    this.closeLinks(from, to);
  }

  unblink(from: string, to: string): void {
    this.machine(to).refuses.delete(this.machine(from));
  }

  closeLinks(a: string, b: string): void {
    this.closeDialled(a, b);
    this.closeDialled(b, a);
  }

  /** Only those that `from` has dialled there. */
  closeDialled(from: string, to: string): void {
    for (const end of this.#endsOfDialled(from, to)) end.end(LinkEnd.Closed);
  }

  /** Nothing leaves for so long on the links that there are. */
  clogLinks(a: string, b: string, us: number): void {
    this.clogDialled(a, b, us);
    this.clogDialled(b, a, us);
  }

  clogDialled(from: string, to: string, us: number): void {
    for (const end of this.#endsOfDialled(from, to)) end.clog(us);
  }

  #endsOfDialled(from: string, to: string): SimEnd[] {
    return [...this.#connections].flatMap((connection) => {
      const { machine, remoteMachine } = connection.dialer;
      return machine.name === from && remoteMachine.name === to ? connection.ends() : [];
    });
  }

  forget(connection: SimConnection): void {
    this.#connections.delete(connection);
  }

  get linkCount(): number {
    return this.#connections.size;
  }

  // ---- dialling ---------------------------------------------------------------------------------

  #dial(user: SimUser, machine: SimMachine, address: string, events: LinkEvents): Link {
    assert(user.alive, "Transport.dial: a dead process dials");
    const remote = this.#byAddress.get(address) ?? unknownMachine;
    const dialer = new SimEnd(this, user, machine, remote, address);
    const connection = new SimConnection(dialer);
    dialer.connection = connection;
    dialer.events = events;
    this.#connections.add(connection);
    this.#knock(connection, this.world.nowUs + this.options.connectTimeoutUs);
    return dialer;
  }

  // One attempt to reach the listener; silence is answered by another attempt, up to the deadline.
  #knock(connection: SimConnection, deadlineUs: number): void {
    const { dialer } = connection;
    const { machine, remoteMachine } = dialer;
    const thereUs = machine.delayUs(remoteMachine, this.options, this.random);
    this.world.after(thereUs, () => {
      if (dialer.ended) return;
      const silent =
        !remoteMachine.up || machine.blockedTo(remoteMachine) || remoteMachine.blockedTo(machine);
      if (silent) {
        this.#knockLater(connection, deadlineUs);
        return;
      }
      const backUs = remoteMachine.delayUs(machine, this.options, this.random);
      const listener = remoteMachine.listener;
      if (listener === null || remoteMachine.refuses.has(machine)) {
        this.world.after(backUs, () => dialer.end(LinkEnd.Refused));
        return;
      }
      this.#accept(connection, listener.user, listener.accept, backUs);
    });
  }

  #knockLater(connection: SimConnection, deadlineUs: number): void {
    const waitUs = Math.min(this.options.dialRetryUs, deadlineUs - this.world.nowUs);
    if (waitUs <= 0) {
      connection.dialer.end(LinkEnd.Unreachable);
      return;
    }
    this.world.after(waitUs, () => {
      if (connection.dialer.ended) return;
      if (this.world.nowUs >= deadlineUs) connection.dialer.end(LinkEnd.Unreachable);
      else this.#knock(connection, deadlineUs);
    });
  }

  #accept(
    connection: SimConnection,
    user: SimUser,
    accept: (link: Link) => LinkEvents,
    backUs: number,
  ): void {
    const { dialer } = connection;
    const from = dialer.machine.addresses[0] ?? dialer.machine.name;
    const end = new SimEnd(this, user, dialer.remoteMachine, dialer.machine, from);
    end.connection = connection;
    connection.acceptor = end;
    end.open = true;
    user.run(() => {
      end.events = accept(end);
    });
    this.world.after(backUs, () => {
      if (dialer.ended) return;
      dialer.open = true;
      const events = must(dialer.events, "a dialer has events");
      dialer.user.run(() => events.onOpen());
      dialer.fillWindow();
    });
  }
}

/** Where addresses lead that nobody has: silence. */
const unknownMachine = new SimMachine("nowhere", []);
unknownMachine.up = false;
