// --client-crl-file, --peer-crl-file: which certificates are revoked (RFC 5280 §5), in PEM or DER, one
// list or several. As in etcd a serial number alone decides, whoever issued it: a certificate that is
// refused by accident does less harm than one that is let in because two names were spelt differently.
// Who signed a list is not checked: it is the operator's own file, as the authorities' are.
import { DerError, DerReader, explicit, Tag, timeOf } from "./der.ts";

export class RevocationList {
  readonly #serials: ReadonlySet<string>;
  /** When the next list was promised, of the list that is due first; Infinity: none says so. */
  readonly nextUpdateMs: number;

  constructor(serials: ReadonlySet<string>, nextUpdateMs: number) {
    this.#serials = serials;
    this.nextUpdateMs = nextUpdateMs;
  }

  get size(): number {
    return this.#serials.size;
  }

  /** `serial`: hexadecimal, as Node writes it. */
  has(serial: string): boolean {
    return this.#serials.has(plainSerial(serial));
  }
}

const noList = "no list of revoked certificates in it, in PEM or DER";

/** Throws an Error that says what is wrong with the file. */
export function parseRevocationLists(file: Uint8Array): RevocationList {
  const serials = new Set<string>();
  let nextUpdateMs = Number.POSITIVE_INFINITY;
  for (const list of listsOf(Buffer.from(file))) {
    try {
      nextUpdateMs = Math.min(nextUpdateMs, readList(list, serials));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      throw new Error(`${noList} (${error.message})`, { cause: error });
    }
  }
  return new RevocationList(serials, nextUpdateMs);
}

function listsOf(file: Buffer): Buffer[] {
  const text = file.toString("latin1");
  if (!text.includes("-----BEGIN")) return [file];
  const blocks = [...text.matchAll(/-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g)];
  if (blocks.length === 0) throw new Error(noList);
  return blocks.map((block) => Buffer.from(block[1] ?? "", "base64"));
}

/** Adds the serials; when the next list is promised. */
function readList(bytes: Uint8Array, serials: Set<string>): number {
  const body = new DerReader(
    new DerReader(new DerReader(bytes).take(Tag.Sequence)).take(Tag.Sequence),
  );
  if (body.peeked === Tag.Integer) body.next(); // version
  body.take(Tag.Sequence); // signature
  body.take(Tag.Sequence); // issuer
  if (Number.isNaN(timeOf(body.next()))) throw new DerError("a list without a time");
  const nextUpdateMs = isTime(body.peeked) ? timeOf(body.next()) : Number.POSITIVE_INFINITY;
  if (body.peeked !== Tag.Sequence) return nextUpdateMs; // nothing is revoked
  const entries = new DerReader(body.take(Tag.Sequence));
  while (!entries.done) {
    const entry = new DerReader(entries.take(Tag.Sequence));
    serials.add(plainSerial(Buffer.from(entry.take(Tag.Integer)).toString("hex")));
  }
  if (!body.done && body.peeked !== explicit(0)) throw new DerError("something behind the list");
  return nextUpdateMs;
}

function isTime(tag: number): boolean {
  return tag === Tag.UtcTime || tag === Tag.GeneralizedTime;
}

function plainSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+/, "");
}
