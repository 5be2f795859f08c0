// Keys and methods of signed tokens (RFC 7518), as etcd's --auth-token jwt has them: which key a method
// takes, and making and checking a signature with it. The method is fixed by the flag and by the key's
// type; what a token says about itself is only compared with it.
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { KeyObject } from "node:crypto";

const Family = { Rsa: 1, RsaPss: 2, Ecdsa: 3, Eddsa: 4, Hmac: 5 } as const;
type Family = (typeof Family)[keyof typeof Family];

interface Method {
  readonly family: Family;
  readonly hash: string | null;
  /** Of an elliptic key, in OpenSSL's words. */
  readonly curve: string | null;
}

const methods: Readonly<Record<string, Method>> = {
  RS256: { family: Family.Rsa, hash: "sha256", curve: null },
  RS384: { family: Family.Rsa, hash: "sha384", curve: null },
  RS512: { family: Family.Rsa, hash: "sha512", curve: null },
  PS256: { family: Family.RsaPss, hash: "sha256", curve: null },
  PS384: { family: Family.RsaPss, hash: "sha384", curve: null },
  PS512: { family: Family.RsaPss, hash: "sha512", curve: null },
  ES256: { family: Family.Ecdsa, hash: "sha256", curve: "prime256v1" },
  ES384: { family: Family.Ecdsa, hash: "sha384", curve: "secp384r1" },
  ES512: { family: Family.Ecdsa, hash: "sha512", curve: "secp521r1" },
  EdDSA: { family: Family.Eddsa, hash: null, curve: null },
  HS256: { family: Family.Hmac, hash: "sha256", curve: null },
  HS384: { family: Family.Hmac, hash: "sha384", curve: null },
  HS512: { family: Family.Hmac, hash: "sha512", curve: null },
};

export const signingMethods: readonly string[] = Object.keys(methods);

const rsaBitsMin = 2048;
const hmacBytesMin = 32;

export class Signing {
  readonly name: string;
  readonly #method: Method;
  /** Of HMAC: the secret itself. */
  readonly #secret: Uint8Array | null;
  /** Null: signatures can only be checked here. */
  readonly #privateKey: KeyObject | null;
  readonly #publicKey: KeyObject | null;

  private constructor(
    name: string,
    secret: Uint8Array | null,
    privateKey: KeyObject | null,
    publicKey: KeyObject | null,
  ) {
    this.name = name;
    this.#method = methods[name]!;
    this.#secret = secret;
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
  }

  /** Contents of the key files, PEM but for HMAC; what is wrong with them as text. */
  static make(
    name: string,
    privateKey: Uint8Array | null,
    publicKey: Uint8Array | null,
  ): Signing | string {
    const method = methods[name];
    if (method === undefined) {
      return `sign-method: "${name}" is none of ${signingMethods.join(", ")}`;
    }
    if (method.family === Family.Hmac) {
      if (privateKey === null) return `${name} needs priv-key`;
      if (privateKey.length < hmacBytesMin) return `priv-key: shorter than ${hmacBytesMin} bytes`;
      return new Signing(name, privateKey, null, null);
    }
    if (privateKey === null && publicKey === null) return `${name} needs priv-key or pub-key`;
    try {
      const own = privateKey === null ? null : createPrivateKey(Buffer.from(privateKey));
      const given = publicKey === null ? null : createPublicKey(Buffer.from(publicKey));
      const derived = own === null ? null : createPublicKey(own);
      if (given !== null && derived !== null && !given.equals(derived)) {
        return "pub-key and priv-key do not belong together";
      }
      const known = given ?? derived;
      const wrong = known === null ? "no key" : keyError(method, known);
      return wrong === null ? new Signing(name, null, own, known) : `${name}: ${wrong}`;
    } catch {
      return "priv-key or pub-key: not a key in PEM form";
    }
  }

  get canSign(): boolean {
    return this.#secret !== null || this.#privateKey !== null;
  }

  sign(text: string): Buffer {
    const data = Buffer.from(text, "latin1");
    if (this.#secret !== null) return this.#mac(data);
    return sign(this.#method.hash, data, { key: this.#privateKey!, ...this.#form() });
  }

  isSigned(text: string, signature: Uint8Array): boolean {
    const data = Buffer.from(text, "latin1");
    if (this.#secret !== null) {
      const mac = this.#mac(data);
      return mac.length === signature.length && timingSafeEqual(mac, signature);
    }
    return verify(this.#method.hash, data, { key: this.#publicKey!, ...this.#form() }, signature);
  }

  #mac(data: Buffer): Buffer {
    return createHmac(this.#method.hash!, this.#secret!).update(data).digest();
  }

  #form(): object {
    switch (this.#method.family) {
      case Family.Ecdsa:
        return { dsaEncoding: "ieee-p1363" };
      case Family.RsaPss:
        return {
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
        };
      default:
        return {};
    }
  }
}

/** Null: the method takes it. */
function keyError(method: Method, key: KeyObject): string | null {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (method.family) {
    case Family.Rsa:
    case Family.RsaPss:
      if (key.asymmetricKeyType !== "rsa") return "the key is not an RSA key";
      return modulusLength < rsaBitsMin ? `the key has less than ${rsaBitsMin} bits` : null;
    case Family.Ecdsa:
      return namedCurve === method.curve ? null : `the key is not one of the curve ${method.curve}`;
    case Family.Eddsa:
      return key.asymmetricKeyType === "ed25519" ? null : "the key is not an Ed25519 key";
    default:
      return null;
  }
}
