// What this member shows and whom it trusts, for one kind of connections, read from files and read anew
// when one of them changes, without a restart: new connections use what is new, those present go on. What
// cannot be used is said and not used: the credentials from before stay.
import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { constants } from "node:crypto";
import tls from "node:tls";
import type { Logger } from "pino";
import { readAuthorities, readPair, readRevoked, TlsFileError } from "./files.ts";
import type { KeyPair } from "./files.ts";
import { isSelfSigned } from "./options.ts";
import type { TlsOptions } from "./options.ts";
import type { RevocationList } from "./revocation-list.ts";
import { readKept, readOrMakeSelfSigned, selfSignedFiles } from "./self-signed.ts";
import type { Demands } from "./verify.ts";

/** Files are looked at so often: watching them would miss what mounted volumes do (they swap links). */
const pollMs = 1000;
const expiryCheckMs = 3_600_000;
const dayMs = 86_400_000;
const warnDays = 14;

interface Loaded {
  readonly own: KeyPair;
  readonly dialling: KeyPair;
  readonly authorities: Buffer | null;
  readonly revoked: RevocationList | null;
  /** For whom this member dials. */
  readonly context: tls.SecureContext;
}

export class Credentials {
  readonly options: TlsOptions;
  readonly #logger: Logger;
  #loaded: Loaded | null;
  /** Names, inodes, sizes and times of the files that are in use. */
  #seen: string;
  /** What was wrong with changed files, to be said once. */
  #problem: string;
  readonly #timers: NodeJS.Timeout[];
  /** What is new is in use from now on. */
  onChange: (() => void) | null;

  constructor(options: TlsOptions, logger: Logger) {
    this.options = options;
    this.#logger = logger;
    this.#loaded = null;
    this.#seen = "";
    this.#problem = "";
    this.#timers = [];
    this.onChange = null;
  }

  /** Reads everything for the first time; throws TlsFileError. */
  load(): void {
    const { own, use } = this.options;
    if (isSelfSigned(own)) {
      const { pair, isNew } = readOrMakeSelfSigned(own, Date.now());
      const notAfter = new Date(pair.expiresMs).toISOString();
      const fields = { use, directory: own.directory, notAfter };
      const text = "a certificate of its own was made: it proves nobody's identity";
      if (isNew) this.#logger.warn(fields, text);
    }
    this.#seen = fingerprint(this.#files().map(signatureNow));
    this.#loaded = this.#read();
    this.#tellExpiry();
  }

  /** From now on changed files are taken up. */
  watch(): void {
    const poll = setInterval(() => void this.#poll(), pollMs);
    const expiry = setInterval(() => this.#tellExpiry(), expiryCheckMs);
    this.#timers.push(poll.unref(), expiry.unref());
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  get loaded(): boolean {
    return this.#loaded !== null;
  }

  /** What a server shows, and whom it trusts. */
  get listening(): tls.SecureContextOptions {
    const { own, authorities } = this.#mustLoaded();
    return this.#contextOptions(own, authorities ?? []);
  }

  get dialling(): tls.SecureContext {
    return this.#mustLoaded().context;
  }

  /** False: who is dialled need not prove who it is, because nobody could have signed that. */
  get verifiesDialled(): boolean {
    return !isSelfSigned(this.options.own);
  }

  /** Of whoever connects to this member. */
  get demands(): Demands {
    const { authorities, allowedNames, allowedHosts } = this.options;
    const { revoked } = this.#mustLoaded();
    return { certificate: authorities !== null, allowedNames, allowedHosts, revoked };
  }

  /** When the first certificate of those that are shown ends; null: none is loaded. */
  get expiresMs(): number | null {
    if (this.#loaded === null) return null;
    return Math.min(this.#loaded.own.expiresMs, this.#loaded.dialling.expiresMs);
  }

  #mustLoaded(): Loaded {
    if (this.#loaded === null) throw new Error("the TLS files are read before anybody connects");
    return this.#loaded;
  }

  #read(): Loaded {
    const { use, own, dialling, authorities, revoked } = this.options;
    const ownPair = isSelfSigned(own) ? readKept(own.directory) : readPair(use, "own", own);
    const diallingPair = dialling === null ? ownPair : readPair(use, "dialling", dialling);
    const trusted = authorities === null ? null : readAuthorities(use, authorities);
    const list = revoked === null ? null : readRevoked(use, revoked);
    this.#contextOf(this.#contextOptions(ownPair, trusted ?? []));
    // Without authorities of its own a dial trusts those of the machine, as Go's does.
    const dialled = trusted ?? tls.getCACertificates("system");
    const context = this.#contextOf(this.#contextOptions(diallingPair, dialled));
    return { own: ownPair, dialling: diallingPair, authorities: trusted, revoked: list, context };
  }

  #contextOf(options: tls.SecureContextOptions): tls.SecureContext {
    try {
      return tls.createSecureContext(options);
    } catch (error) {
      const what = `the TLS files for ${this.options.use}s: ${(error as Error).message}`;
      throw new TlsFileError(what, { cause: error });
    }
  }

  #contextOptions(pair: KeyPair, ca: Buffer | string[]): tls.SecureContextOptions {
    const { minVersion, maxVersion, ciphers } = this.options;
    return {
      cert: pair.certificate,
      key: pair.key,
      ca,
      minVersion,
      maxVersion,
      ciphers,
      honorCipherOrder: true,
      // Nothing is resumed: every connection is judged by the newest lists and by its own time.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  #files(): string[] {
    const { own, dialling, authorities, revoked } = this.options;
    const shown = isSelfSigned(own) ? selfSignedFiles(own.directory) : own;
    const pairs = [shown, ...(dialling === null ? [] : [dialling])];
    const others = [authorities, revoked].filter((path) => path !== null);
    return [...pairs.flatMap(({ certificate, key }) => [certificate, key]), ...others];
  }

  /** What fails is tried again: a file may be half written, or its key not there yet. */
  async #poll(): Promise<void> {
    const now = fingerprint(await Promise.all(this.#files().map(signatureOf)));
    if (now === this.#seen) return;
    const { use } = this.options;
    try {
      this.#loaded = this.#read();
    } catch (error) {
      const problem = (error as Error).message;
      if (problem === this.#problem) return;
      this.#problem = problem;
      const text = "changed TLS files cannot be used: the ones from before stay in use";
      this.#logger.warn({ use, problem }, text);
      return;
    }
    this.#seen = now;
    this.#problem = "";
    this.onChange?.();
    const notAfter = new Date(this.expiresMs!).toISOString();
    this.#logger.info({ use, notAfter }, "TLS files have changed: new connections use them");
    this.#tellExpiry();
  }

  #tellExpiry(): void {
    const { use } = this.options;
    const { revoked } = this.#mustLoaded();
    const daysLeft = Math.floor((this.expiresMs! - Date.now()) / dayMs);
    const notAfter = new Date(this.expiresMs!).toISOString();
    if (daysLeft < 0) {
      this.#logger.error({ use, notAfter }, "the TLS certificate has expired");
    } else if (daysLeft < warnDays) {
      this.#logger.warn({ use, notAfter, daysLeft }, "the TLS certificate expires soon");
    }
    if (revoked !== null && revoked.nextUpdateMs < Date.now()) {
      const nextUpdate = new Date(revoked.nextUpdateMs).toISOString();
      this.#logger.warn(
        { use, nextUpdate },
        "the list of revoked certificates is older than it says",
      );
    }
  }
}

interface Signature {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function fingerprint(signatures: readonly (Signature | null)[]): string {
  const texts = signatures.map((one) =>
    one === null ? "-" : [one.ino, one.size, one.mtimeNs, one.ctimeNs].join(":"),
  );
  return texts.join(" ");
}

function signatureNow(path: string): Signature | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

async function signatureOf(path: string): Promise<Signature | null> {
  try {
    return await stat(path, { bigint: true });
  } catch {
    return null;
  }
}
