// One other member as this one reaches it: its addresses, the links dialled to it, and why there is
// none. Which process answers there, and whether it is believed, is not decided here.
import type { NodeId } from "@quorate/raft";
import type { Env, Random } from "@quorate/storage";
import { Dialer } from "./dialer.ts";
import { LinkClass, withGenesis } from "./hello.ts";
import type { Hello } from "./hello.ts";
import type { PeerLink } from "./peer-link.ts";
import type { PeerMember } from "./peers-api.ts";

export class Peer {
  member: PeerMember;
  readonly control: Dialer;
  readonly data: Dialer;
  /** Dialled while a snapshot is being sent. */
  readonly snapshot: Dialer;
  readonly dialers: readonly Dialer[];
  /** The newest hello of this member that was accepted; null: none yet. */
  #hello: Hello | null;
  /** Where it says that it is dialled, as long as nobody answers where the configuration says. */
  #told: readonly string[];
  #reason: string;
  #heardMs: number;
  /** Of links that ended. */
  #bytesSent: number;
  #bytesReceived: number;

  constructor(
    env: Env,
    random: Random,
    member: PeerMember,
    dial: (address: string, linkClass: LinkClass) => PeerLink,
  ) {
    this.member = member;
    this.control = new Dialer({ env, random, linkClass: LinkClass.Control, dial });
    this.data = new Dialer({ env, random, linkClass: LinkClass.Data, dial });
    this.snapshot = new Dialer({ env, random, linkClass: LinkClass.Snapshot, dial });
    this.dialers = [this.control, this.data, this.snapshot];
    this.#hello = null;
    this.#told = [];
    this.#reason = "not yet connected";
    this.#heardMs = -1;
    this.#bytesSent = 0;
    this.#bytesReceived = 0;
    this.setMember(member);
    this.control.want(true, "");
    this.data.want(true, "");
  }

  setMember(member: PeerMember): void {
    const { addresses } = this.member;
    this.member = member;
    this.#setTold(this.#told);
    if (member.addresses.every((address) => addresses.includes(address))) return;
    for (const dialer of this.dialers) dialer.tryFirst();
  }

  /** Those that the configuration names, which may be behind, and those that it told itself. */
  get addresses(): readonly string[] {
    return [...this.member.addresses, ...this.#told];
  }

  #setTold(addresses: readonly string[]): void {
    const { addresses: named } = this.member;
    this.#told = addresses.filter((address) => !named.includes(address));
    for (const dialer of this.dialers) dialer.setAddresses(this.addresses);
  }

  /** Dialled, and not ended. */
  get links(): PeerLink[] {
    return this.dialers.map(({ link }) => link).filter((link) => link !== null);
  }

  dialer(linkClass: LinkClass): Dialer {
    if (linkClass === LinkClass.Control) return this.control;
    return linkClass === LinkClass.Data ? this.data : this.snapshot;
  }

  tick(ticks: number): void {
    for (const dialer of this.dialers) {
      dialer.link?.tick(ticks);
      dialer.tick();
    }
  }

  close(reason: string): void {
    for (const dialer of this.dialers) dialer.want(false, reason);
  }

  // ---- What it said of itself ----------------------------------------------------------------------

  get hello(): Hello | null {
    return this.#hello;
  }

  /** By the configuration; before that knows it, by its hello; 0: unknown. */
  get raftId(): NodeId {
    return this.member.raftId === 0 ? (this.#hello?.raftId ?? 0) : this.member.raftId;
  }

  /**
   * A hello was accepted. Of one raft id the higher boot is the present one, whatever order links
   * bring them in; of two raft ids the one that spoke last. `addresses`: those that it tells, for the
   * transport. Whoever answers there has to prove itself as anywhere (P4).
   */
  heardHello(hello: Hello, addresses: readonly string[]): void {
    const known = this.#hello;
    const older =
      known !== null && known.raftId === hello.raftId && known.bootCount > hello.bootCount;
    if (older) return;
    // A link goes on saying what it said first: of one process the genesis stays known.
    const forgets = known !== null && known.session === hello.session && known.genesisId !== 0;
    this.#hello = forgets ? withGenesis(hello, known.genesisId) : hello;
    this.#setTold(this.#isWhereNamed ? [] : addresses);
  }

  get #isWhereNamed(): boolean {
    const { link } = this.control;
    return link?.accepted === true && this.member.addresses.includes(link.address);
  }

  /**
   * Another raft id than the one that answers here where this member dials. A link that they dialled
   * proves less: what a dead process had sent may arrive long after its successor has spoken.
   */
  contradicts(hello: Hello): boolean {
    const { link } = this.control;
    return (link?.accepted ?? false) && link?.hello?.raftId !== hello.raftId;
  }

  /** True when the reason is another one than before: worth a line in the log. */
  setReason(reason: string): boolean {
    const changed = reason !== this.#reason;
    this.#reason = reason;
    return changed;
  }

  get reason(): string {
    return this.#reason;
  }

  /** A link to or from it ended: its numbers stay. */
  absorb(link: PeerLink): void {
    this.#bytesSent += link.bytesSent;
    this.#bytesReceived += link.bytesReceived;
    this.#heardMs = Math.max(this.#heardMs, link.heardMs);
  }

  /** Monotonic time of the newest bytes on links dialled here or ended; -1: never. */
  get heardMs(): number {
    let heardMs = this.#heardMs;
    for (const dialer of this.dialers) heardMs = Math.max(heardMs, dialer.link?.heardMs ?? -1);
    return heardMs;
  }

  get bytesSent(): number {
    let bytes = this.#bytesSent;
    for (const dialer of this.dialers) bytes += dialer.link?.bytesSent ?? 0;
    return bytes;
  }

  get bytesReceived(): number {
    let bytes = this.#bytesReceived;
    for (const dialer of this.dialers) bytes += dialer.link?.bytesReceived ?? 0;
    return bytes;
  }

  get queuedBytes(): number {
    let bytes = 0;
    for (const dialer of this.dialers) bytes += dialer.link?.queuedBytes ?? 0;
    return bytes;
  }
}
