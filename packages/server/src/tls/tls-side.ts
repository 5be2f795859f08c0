// All that TLS needs for one kind of connections, put together: of clients, or of peers.
import type { Logger } from "pino";
import { Credentials } from "./credentials.ts";
import { handshakeLimits, Handshakes } from "./handshakes.ts";
import type { TlsOptions } from "./options.ts";
import { RefusalLog } from "./refusal-log.ts";

export class TlsSide {
  readonly credentials: Credentials;
  readonly refusals: RefusalLog;
  readonly handshakes: Handshakes;

  /** `handshakesMax`: at a time; a quarter of them of one address. */
  constructor(
    options: TlsOptions,
    logger: Logger,
    handshakesMax: number = handshakeLimits.handshakesMax,
  ) {
    this.credentials = new Credentials(options, logger);
    this.refusals = new RefusalLog(options.use, logger);
    this.handshakes = new Handshakes(this.credentials, this.refusals, {
      ...handshakeLimits,
      handshakesMax,
      perAddressMax: Math.max(1, Math.floor(handshakesMax / 4)),
    });
  }

  /** Reads the files, and reads them again when they change; throws TlsFileError. */
  open(): void {
    this.credentials.load();
    this.credentials.watch();
  }
}
