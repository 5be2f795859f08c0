// How somebody comes in: what was brought, and whom the asked member took it for, by which state. What the
// server does between the wire and the host (server/src/auth/access.ts), for the clients of the simulator.
import { type AdmissionSink, type Credential, type Host, Need } from "@quorate/host";
import { type Identity, nobody } from "@quorate/kv";

/** The member was not whole at that moment: by which of its states it decided is not known. */
export const unknownIndex = -1;

export class Entrance {
  /** Null: it brings nothing. */
  readonly credential: Credential | null;
  /** Null: it was not let in, or not yet. */
  identity: Identity | null;
  /** What the member had applied when it let it in, or not. */
  decidedAt: number;
  /** And when it answered. */
  answeredAt: number;
  /** Refused at the door: of what came behind it nothing was done. */
  isRefused: boolean;

  constructor(credential: Credential | null) {
    this.credential = credential;
    this.identity = null;
    this.decidedAt = unknownIndex;
    this.answeredAt = unknownIndex;
    this.isRefused = false;
  }

  /** Inside the process, when the answer leaves. */
  answered(host: Host): void {
    this.answeredAt = appliedBy(host);
  }
}

/** Inside the process. Calls back at once, or when a read barrier has passed. */
export function enter(host: Host, entrance: Entrance, need: Need, sink: AdmissionSink): void {
  const { credential } = entrance;
  const admitted = (identity: Identity): void => {
    entrance.identity = identity;
    entrance.decidedAt = appliedBy(host);
    sink.admitted(identity);
  };
  const isPlain = credential === null && need === Need.User && !isEnabled(host);
  if (isPlain) return admitted(nobody);
  host.auth.admit(credential, need, {
    admitted,
    refused: (failure) => {
      entrance.isRefused = true;
      entrance.decidedAt = entrance.answeredAt = appliedBy(host);
      sink.refused(failure);
    },
  });
}

function isEnabled(host: Host): boolean {
  return host.auth.view()?.enabled === true;
}

export function appliedBy(host: Host): number {
  const pump = host.inside()?.pump;
  return pump?.scanned === true ? pump.applied : unknownIndex;
}
