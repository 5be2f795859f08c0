// The TLS flags, put together and held against the URLs: https decides that TLS is spoken, as in etcd.
// What would leave a door open that its flags promise to close is refused; what has no effect is said.
import { hostname } from "node:os";
import { join } from "node:path";
import { cipherList, goodSuites, judgeSuite, SuiteVerdict } from "@quorate/server";
import type { CertificateFiles, MemberOptions, TlsOptions, TlsVersion } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { hostOfUrl } from "./cluster-list.ts";
import type { Settings } from "./settings.ts";

export interface TlsUrls {
  readonly listen: readonly string[];
  readonly advertised: readonly string[];
}

export interface TlsContext {
  readonly client: TlsUrls;
  readonly peer: TlsUrls;
  readonly directory: string;
  /** What will have no effect. */
  warn(text: string): void;
}

type Use = "client" | "peer";

const versions: ReadonlyMap<string, TlsVersion> = new Map([
  ["TLS1.2", "TLSv1.2"],
  ["TLS1.3", "TLSv1.3"],
]);

export function resolveTls(settings: Settings, context: TlsContext): MemberOptions["tls"] {
  return {
    client: new Resolving(settings, context, "client").options(),
    peer: new Resolving(settings, context, "peer").options(),
  };
}

class Resolving {
  readonly #settings: Settings;
  readonly #context: TlsContext;
  readonly #use: Use;

  constructor(settings: Settings, context: TlsContext, use: Use) {
    this.#settings = settings;
    this.#context = context;
    this.#use = use;
  }

  options(): TlsOptions | null {
    const own = this.#own();
    const { listen } = this.#urls;
    const secure = listen.filter((url) => url.startsWith("https:"));
    if (own === null) {
      if (secure.length > 0) throw this.#noCertificate(secure[0]!);
      this.#warnOfNoEffect();
      this.#warnOfOpenPeers(listen);
      return null;
    }
    this.#warnOfPlain(listen.filter((url) => !secure.includes(url)));
    // A member that is reached without TLS may have peers that are not.
    return secure.length === 0 && this.#use === "client" ? null : this.#all(own);
  }

  #all(own: TlsOptions["own"]): TlsOptions {
    const isPeer = this.#use === "peer";
    const authorities = this.#text(this.#flag("trusted-ca-file"));
    const isAuto = "directory" in own;
    const auth = this.#flag("client-cert-auth");
    const judges = this.#isOn(auth)
      ? auth
      : authorities === null
        ? null
        : this.#flag("trusted-ca-file");
    if (judges !== null && (authorities === null || (isPeer && isAuto))) {
      const what = isPeer && isAuto ? "peer-cert-file" : this.#flag("trusted-ca-file");
      throw new UsageError(
        `--${judges} needs --${what}: no certificate could be told from another`,
      );
    }
    this.#checkNarrowed(authorities);
    const revoked = this.#text(isPeer ? "peer-crl-file" : "client-crl-file");
    return {
      use: this.#use,
      own,
      dialling: isPeer ? this.#pair("peer-client-cert-file", "peer-client-key-file") : null,
      authorities,
      names: !isPeer && this.#isOn(auth),
      revoked,
      ...this.#allowed(),
      checkAddress: isPeer && !this.#skipsAddress(),
      ...this.#spoken(),
    };
  }

  #own(): TlsOptions["own"] | null {
    const [certificate, key] = [this.#flag("cert-file"), this.#flag("key-file")];
    const pair = this.#pair(certificate, key);
    const auto = this.#use === "peer" ? "peer-auto-tls" : "auto-tls";
    if (!this.#isOn(auto)) return pair;
    if (pair !== null) {
      this.#context.warn(`--${auto} is ignored: --${certificate} is given`);
      return pair;
    }
    const { listen, advertised } = this.#urls;
    if (![...listen, ...advertised].some((url) => url.startsWith("https:"))) return null;
    return {
      directory: join(this.#context.directory, "fixtures", this.#use),
      hosts: hostsFor([...listen, ...advertised]),
      years: this.#years(),
    };
  }

  #pair(certificateFlag: string, keyFlag: string): CertificateFiles | null {
    const [certificate, key] = [this.#text(certificateFlag), this.#text(keyFlag)];
    if (certificate === null && key === null) return null;
    if (certificate !== null && key !== null) return { certificate, key };
    const missing = key === null ? keyFlag : certificateFlag;
    throw new UsageError(
      `--${certificateFlag} and --${keyFlag} must both be present: --${missing} is missing`,
    );
  }

  #allowed(): Pick<TlsOptions, "allowedNames" | "allowedHosts"> {
    if (this.#use === "client") {
      return { allowedNames: [], allowedHosts: this.#list("client-cert-allowed-hostname") };
    }
    const [names, hosts] = ["peer-cert-allowed-cn", "peer-cert-allowed-hostname"] as const;
    const [allowedNames, allowedHosts] = [this.#list(names), this.#list(hosts)];
    if (allowedNames.length > 0 && allowedHosts.length > 0) {
      throw new UsageError(`--${names} and --${hosts} are mutually exclusive`);
    }
    return { allowedNames, allowedHosts };
  }

  #spoken(): Pick<TlsOptions, "minVersion" | "maxVersion" | "ciphers"> {
    const minVersion = this.#version("tls-min-version", "TLS1.2");
    const maxVersion = this.#version("tls-max-version", "TLS1.3");
    if (minVersion > maxVersion) {
      throw new UsageError(
        `--tls-min-version: min version (${this.#text("tls-min-version")}) is greater than max ` +
          `version (${this.#text("tls-max-version")})`,
      );
    }
    const suites = this.#list("cipher-suites");
    if (minVersion === "TLSv1.3" && suites.length > 0) {
      throw new UsageError(
        "--cipher-suites: cipher suites cannot be configured when only TLS1.3 is enabled",
      );
    }
    for (const suite of suites) checkSuite(suite);
    return { minVersion, maxVersion, ciphers: cipherList(suites) };
  }

  #version(flag: string, fallback: string): TlsVersion {
    const text = this.#text(flag) ?? fallback;
    const version = versions.get(text);
    if (version !== undefined) return version;
    throw new UsageError(
      `--${flag}: unexpected TLS version "${text}" (must be one of: TLS1.2, TLS1.3)`,
    );
  }

  #years(): number {
    const flag = "self-signed-cert-validity";
    const years = Number(this.#text(flag) ?? "1");
    if (years >= 1 && years <= 100) return years;
    throw new UsageError(`--${flag}: ${years} is not a number of years between 1 and 100`);
  }

  /** Who may come in is narrowed, but nobody would be asked for a certificate. */
  #checkNarrowed(authorities: string | null): void {
    if (authorities !== null) return;
    const flags =
      this.#use === "client"
        ? ["client-crl-file", "client-cert-allowed-hostname"]
        : ["peer-crl-file", "peer-cert-allowed-cn", "peer-cert-allowed-hostname"];
    const set = flags.find((flag) => this.#text(flag) !== null);
    if (set === undefined) return;
    throw new UsageError(
      `--${set} needs --${this.#flag("trusted-ca-file")}: nobody would be asked`,
    );
  }

  #noCertificate(url: string): UsageError {
    const [certificate, key] = [this.#flag("cert-file"), this.#flag("key-file")];
    return new UsageError(
      `TLS key/cert (--${certificate}, --${key}) must be provided for ${this.#use} url ${url} with ` +
        `HTTPS scheme, or --${this.#use === "peer" ? "peer-auto-tls" : "auto-tls"}`,
    );
  }

  #warnOfPlain(urls: readonly string[]): void {
    const auth = this.#flag("client-cert-auth");
    for (const url of urls) {
      this.#context.warn(
        `the scheme of the ${this.#use} URL ${url} is http while key and cert files are present: ` +
          "they are ignored for it",
      );
      if (!this.#isOn(auth)) continue;
      this.#context.warn(`--${auth} is ignored for ${url}: its scheme is http`);
    }
  }

  #warnOfOpenPeers(urls: readonly string[]): void {
    if (this.#use !== "peer") return;
    const open = urls.find((url) => !/^(?:localhost|127\.|::1$)/.test(hostOfUrl(url)));
    if (open === undefined) return;
    this.#context.warn(`${open} is without TLS: whoever reaches it can speak as a member`);
  }

  #warnOfNoEffect(): void {
    const [ca, auth] = [this.#flag("trusted-ca-file"), this.#flag("client-cert-auth")];
    const auto = this.#use === "peer" ? "peer-auto-tls" : "auto-tls";
    const set = [this.#text(ca) === null ? null : ca, ...[auth, auto].filter((f) => this.#isOn(f))];
    for (const flag of set.filter((one) => one !== null)) {
      this.#context.warn(`--${flag} is ignored: no ${this.#use} URL begins with https://`);
    }
  }

  get #urls(): TlsUrls {
    return this.#context[this.#use];
  }

  /** The flag for peers has the name of that for clients, with peer- before it. */
  #flag(name: string): string {
    return this.#use === "peer" ? `peer-${name}` : name;
  }

  #text(flag: string): string | null {
    return this.#settings.values.get(flag) || null;
  }

  #list(flag: string): string[] {
    const parts = (this.#text(flag) ?? "").split(",").map((part) => part.trim());
    return parts.filter((part) => part !== "");
  }

  #isOn(flag: string): boolean {
    return this.#settings.values.get(flag) === "true";
  }

  #skipsAddress(): boolean {
    const flag = "peer-skip-client-san-verification";
    return this.#isOn(flag) || this.#isOn(`experimental-${flag}`);
  }
}

function checkSuite(name: string): void {
  switch (judgeSuite(name)) {
    case SuiteVerdict.Good:
      return;
    case SuiteVerdict.Weak:
      throw new UsageError(
        `--cipher-suites: "${name}" is weak and not spoken here; there are ${goodSuites().join(", ")}`,
      );
    case SuiteVerdict.Unknown:
      throw new UsageError(`--cipher-suites: unexpected TLS cipher suite "${name}"`);
  }
}

/** Every host of the URLs under which somebody may dial; this machine's name where that is none. */
function hostsFor(urls: readonly string[]): string[] {
  const hosts = urls.map(hostOfUrl).filter((host) => host !== "0.0.0.0" && host !== "::");
  const all = hosts.flatMap((host) => (host === "localhost" ? [host, "127.0.0.1"] : [host]));
  return all.length === 0 ? [hostname()] : [...new Set(all)];
}
