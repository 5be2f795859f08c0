// The outside world as one member sees it: clocks, randomness, disk, network, a scheduler, a way to
// die. Production implements it with files and sockets (server), the simulator with a seed (sim).
// No interface here may leak a Promise, and nothing here has behaviour.

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly transport: Transport;
  readonly trace: Trace;
  /** Run `turn` soon, once, after the events that are already waiting (setImmediate-like). */
  schedule(turn: () => void): void;
  /** The process ends with this exit code (DESIGN.md 23); nothing runs afterwards. */
  fatal(exitCode: ExitCode, reason: string): never;
  /**
   * The process begins anew with the flags that it was started with, as if it had died and been
   * started again at once: nothing of it runs afterwards, its locks and links are gone.
   */
  restart(reason: string): never;
}

export const ExitCode = {
  Usage: 64,
  Assertion: 70,
  WriteFailed: 71,
  Damaged: 72,
  Removed: 73,
  Superseded: 74,
  Foreign: 75,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface Clock {
  /** Never goes back; fractions allowed; origin arbitrary. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump. */
  wallMs(): number;
}

export interface Random {
  u32(): number;
  /** Uniform in 0 … n - 1, n ≤ 2^53. */
  below(n: number): number;
  /** Own stream, named: a draw there does not shift this one. */
  fork(label: string): Random;
}

/** Structured log line and, in the simulator, trace; levels as pino's. */
export interface Trace {
  debug(event: string, fields?: TraceFields): void;
  info(event: string, fields?: TraceFields): void;
  warn(event: string, fields?: TraceFields): void;
  error(event: string, fields?: TraceFields): void;
  /** A named point between two steps: the simulator may crash the member here; else nothing. */
  mark(point: string): void;
}
export type TraceFields = Readonly<Record<string, string | number | boolean | null>>;

// ---- Disk --------------------------------------------------------------------------------------

/** What an operation says when the medium or the system refused it. */
export class DiskError {
  /** errno name: EIO, ENOSPC, ENOENT, EACCES, EROFS, … */
  readonly code: string;
  readonly path: string;
  readonly operation: string;

  constructor(code: string, path: string, operation: string) {
    this.code = code;
    this.path = path;
    this.operation = operation;
  }
}

export type DiskDone = (error: DiskError | null) => void;

/**
 * Paths are absolute or relative as the host configured them, joined with "/". Operations named
 * …Now are synchronous: metadata at start, and reads (0.8 µs from the page cache). Everything that
 * waits for the medium completes by callback, never inside the call. Completions of one file come
 * in no promised order: whoever needs an order waits. Nothing is durable before `sync` (file
 * content and size) or `syncDirectory` (creation, rename, removal) has completed without error.
 */
export interface Disk {
  /** Names in the directory, sorted bytewise; null when there is none. */
  listNow(directory: string): readonly string[] | null;
  /** One directory: the one above it exists, the caller has seen to that. */
  makeDirectoryNow(directory: string): DiskError | null;
  /** Size in bytes, or null when there is no such file. */
  sizeNow(path: string): number | null;
  /** Bytes that this process may still write below the path; null when nobody can tell. */
  freeBytesNow(path: string): number | null;
  /** Opens for reading and writing; `create`: makes an empty file, fails when it exists. */
  openNow(path: string, create: boolean): DiskFile | DiskError;
  /**
   * One process per directory: takes the exclusive lock that dies with this process. Null: held
   * now, perhaps before; otherwise EBUSY when another process holds it.
   */
  lockNow(path: string): DiskError | null;
  rename(from: string, to: string, done: DiskDone): void;
  /** Of a file or an empty directory. */
  remove(path: string, done: DiskDone): void;
  syncDirectory(directory: string, done: DiskDone): void;
}

export interface DiskFile {
  readonly path: string;
  /** Fills `into` from `position`; the number of bytes read (short at the end of the file). */
  readNow(position: number, into: Uint8Array): number | DiskError;
  /** Writes all of `bytes`, which must not change until `done`. */
  write(position: number, bytes: Uint8Array, done: DiskDone): void;
  /** fdatasync: content, and size where it changed. */
  sync(done: DiskDone): void;
  sizeNow(): number;
  truncate(length: number, done: DiskDone): void;
  close(): void;
}

// ---- Transport ---------------------------------------------------------------------------------

/** Why a link ended. */
export const LinkEnd = {
  /** Connect was refused: nobody listens there (P6's evidence). */
  Refused: 1,
  /** Connect timed out, or no route. */
  Unreachable: 2,
  /** The other side closed, or its process died. */
  Closed: 3,
  /** Reset or any other error. */
  Failed: 4,
  /** Closed by this side. */
  Local: 5,
} as const;
export type LinkEnd = (typeof LinkEnd)[keyof typeof LinkEnd];

/**
 * A byte stream between two processes. Every `send` carries whole frames: the simulated network
 * may lose, duplicate or delay single sends, the real one delivers a stream, possibly cut anywhere.
 */
export interface Link {
  /** Where it leads, for logs. */
  readonly remote: string;
  /** Queues bytes, which must not change afterwards; false: the bound is reached, nothing queued. */
  send(bytes: Uint8Array): boolean;
  /** Bytes queued and not yet taken by the system. */
  readonly queuedBytes: number;
  /** Stop or go on delivering onBytes: back-pressure. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface LinkEvents {
  /** Dialled links only: connected. */
  onOpen(): void;
  /** The bytes may be kept: they are not reused. */
  onBytes(bytes: Uint8Array): void;
  /** The send queue is empty again after it was not. */
  onDrain(): void;
  /** Exactly once, and last. */
  onEnd(end: LinkEnd): void;
}

export interface Transport {
  /** Connects to "host:port", or with TLS to "https://host:port". Events come later, never inside the call. */
  dial(address: string, events: LinkEvents): Link;
  /** Incoming links on this member's peer addresses go to `accept` from now on. */
  listen(accept: (link: Link) => LinkEvents): void;
}
