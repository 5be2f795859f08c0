// A story's own client that watches, on the stream of one member: what it was told, as short texts.
import { latin1Decode, latin1Encode, must } from "@quorate/base";
import type { Credential } from "@quorate/host";
import { decodeWatchResponse, encodeWatchRequest, WatchAsk, WatchRequest } from "@quorate/kv";
import { Entrance } from "../client/entrance.ts";
import { WatchConnection } from "../client/watch-connection.ts";
import type { Scenario } from "./scenario.ts";

const readUs = 100;

export class Watching {
  /** Revisions of the events that it was told, in order. */
  readonly revisions: number[];
  /** What came last in a header, of an event's response or of a word of progress. */
  headerRevision: number;
  progress: number | null;
  created: boolean;
  /** Its history is gone up to here; null: it goes on. */
  compactRevision: number | null;
  ended: boolean;
  /** Why the member wants to tell it nothing more; empty: it does. */
  cancelReason: string;
  readonly #credential: Credential | null;
  readonly #connection: WatchConnection;

  /** Of all keys from `key` on. `start` 0: what is new. */
  constructor(
    s: Scenario,
    member: string,
    key: string,
    start: number,
    credential: Credential | null = null,
    rangeEnd: string = "\0",
  ) {
    this.cancelReason = "";
    this.#credential = credential;
    this.revisions = [];
    this.headerRevision = 0;
    this.progress = null;
    this.created = false;
    this.compactRevision = null;
    this.ended = false;
    const { host, incarnation } = s.member(member);
    this.#connection = new WatchConnection(
      s.world,
      must(incarnation, "the member runs"),
      must(host, "the member runs"),
      readUs,
      {
        heard: (bytes) => this.#heard(bytes),
        ended: () => {
          this.ended = true;
        },
      },
    );
    this.#send({
      ask: WatchAsk.Create,
      key: latin1Encode(key),
      rangeEnd: latin1Encode(rangeEnd),
      startRevision: start,
    });
  }

  askProgress(): void {
    this.progress = null;
    this.#send({ ask: WatchAsk.Progress });
  }

  describe(): string {
    return `told of ${this.revisions.join(" ")}, header at ${this.headerRevision}`;
  }

  #send(fields: Partial<WatchRequest>): void {
    const bytes = encodeWatchRequest(new WatchRequest(fields));
    this.#connection.send(bytes, new Entrance(this.#credential));
  }

  #heard(bytes: Uint8Array): void {
    const response = must(decodeWatchResponse(bytes), "a watch response");
    this.headerRevision = response.header.revision;
    if (response.canceled) this.cancelReason = response.cancelReason;
    if (response.created) this.created = true;
    else if (response.canceled) this.compactRevision = response.compactRevision;
    else if (response.watchId === -1) this.progress = response.header.revision;
    for (const { kv } of response.events) {
      if (latin1Decode(kv.key).length > 0) this.revisions.push(kv.modRevision);
    }
  }
}
