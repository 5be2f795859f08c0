// Who asks, as reads and apply are told: a user, and the auth revision by which that was found out.
// Whoever makes one has checked a token, a signature or a certificate; what the user may do is decided
// where it is done (DESIGN.md 10).

export class Identity {
  /** Empty: nobody has said who asks. */
  readonly user: string;
  /** Of the auth table; 0: as above. */
  readonly authRevision: number;

  constructor(user: string, authRevision: number) {
    this.user = user;
    this.authRevision = authRevision;
  }
}

/** All that anybody is while authentication is off; while it is on, it may do nothing. */
export const nobody: Identity = new Identity("", 0);
