// All that TLS needs for one kind of connections, put together: of clients, or of peers.
import type { Logger } from "pino";
import { Credentials } from "./credentials.ts";
import { Handshakes } from "./handshakes.ts";
import type { TlsOptions } from "./options.ts";
import { RefusalLog } from "./refusal-log.ts";

export class TlsSide {
  readonly credentials: Credentials;
  readonly refusals: RefusalLog;
  readonly handshakes: Handshakes;

  constructor(options: TlsOptions, logger: Logger) {
    this.credentials = new Credentials(options, logger);
    this.refusals = new RefusalLog(options.use, logger);
    this.handshakes = new Handshakes(this.credentials, this.refusals);
  }

  /** Reads the files, and reads them again when they change; throws TlsFileError. */
  open(): void {
    this.credentials.load();
    this.credentials.watch();
  }
}
