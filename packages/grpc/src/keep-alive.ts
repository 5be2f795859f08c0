// Pings of a connection, by grpc-go's rules (A8, A9): a client that pings more often than it may is told
// "too_many_pings" and let go at its third strike; a connection on which nothing has come for long is
// pinged, and closed when no answer comes.
import http2 from "node:http2";
import type { Duplex } from "node:stream";

export interface KeepAliveLimits {
  /** Between two pings of a client that has calls under way, at least. */
  readonly minTimeMs: number;
  /** Without a byte from the client, after which it is pinged; and how long the answer may take. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export const keepAliveDefaults: KeepAliveLimits = {
  minTimeMs: 5000,
  intervalMs: 7_200_000,
  timeoutMs: 20_000,
};

/** Without a call there is nothing to keep alive. */
const minTimeWithoutCallsMs = 7_200_000;
const strikesMax = 2;
/** Answers to pings, and windows of what the client has sent, say nothing to it. */
const silentBytesMax = 128;

export class KeepAlive {
  readonly #session: http2.ServerHttp2Session;
  readonly #socket: Duplex & { readonly bytesRead?: number; readonly bytesWritten?: number };
  readonly #limits: KeepAliveLimits;
  readonly #calls: () => number;
  #strikes: number;
  #lastPingMs: number;
  #bytesSeen: number;
  /** At the last ping. */
  #bytesSent: number;
  #timer: NodeJS.Timeout | null;

  /** `calls`: under way on this connection. */
  constructor(
    session: http2.ServerHttp2Session,
    socket: Duplex,
    limits: KeepAliveLimits,
    calls: () => number,
  ) {
    this.#session = session;
    this.#socket = socket;
    this.#limits = limits;
    this.#calls = calls;
    this.#strikes = 0;
    this.#lastPingMs = Number.NEGATIVE_INFINITY;
    this.#bytesSeen = 0;
    this.#bytesSent = 0;
    this.#timer = null;
    session.on("ping", () => this.#onPing(performance.now()));
    session.on("close", () => this.#stop());
    this.#wait();
  }

  /** Something was said to the client: it may measure the connection by pings of its own (BDP). */
  sent(): void {
    this.#strikes = 0;
    this.#lastPingMs = Number.NEGATIVE_INFINITY;
  }

  #onPing(nowMs: number): void {
    // A large answer leaves in many pieces, and each of them may be measured.
    const sent = this.#socket.bytesWritten ?? 0;
    if (sent - this.#bytesSent > silentBytesMax) this.sent();
    this.#bytesSent = sent;
    const leastMs = this.#calls() > 0 ? this.#limits.minTimeMs : minTimeWithoutCallsMs;
    if (nowMs - this.#lastPingMs < leastMs) this.#strikes += 1;
    this.#lastPingMs = nowMs;
    if (this.#strikes <= strikesMax || this.#session.destroyed) return;
    const { NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;
    this.#session.goaway(NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_pings"));
    // Behind the word, which leaves with this turn.
    const why = new Error("too many pings");
    setImmediate(() => this.#session.destroy(why, NGHTTP2_ENHANCE_YOUR_CALM));
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#look(), this.#limits.intervalMs).unref();
  }

  #look(): void {
    const bytes = this.#socket.bytesRead ?? 0;
    if (bytes !== this.#bytesSeen) {
      this.#bytesSeen = bytes;
      return this.#wait();
    }
    if (this.#session.destroyed) return;
    this.#timer = setTimeout(() => this.#session.destroy(), this.#limits.timeoutMs).unref();
    this.#session.ping(() => {
      if (this.#timer === null) return;
      clearTimeout(this.#timer);
      this.#bytesSeen = this.#socket.bytesRead ?? 0;
      this.#wait();
    });
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
