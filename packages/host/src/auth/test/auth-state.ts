// A state machine with users in it, without a host around it.
import {
  AuthAction,
  encodeAuthCommand,
  Identity,
  KvError,
  KvState,
  OperationKind,
} from "@quorate/kv";
import type { AuthCommand } from "@quorate/kv";
import { MemoryRows } from "@quorate/kv/internal";

export class AuthState {
  readonly kv: KvState;
  index: number;

  constructor() {
    this.kv = new KvState({
      rows: new MemoryRows(),
      clusterId: 1n,
      memberId: 2n,
      txnOpsMax: 128,
      rangeBytesMax: 1 << 20,
    });
    this.index = 0;
  }

  /** By the user root, at that time of the log. */
  apply(command: AuthCommand, wallMs: number = 1): void {
    const { user, authRevision } = this.kv.auth.enabled
      ? this.kv.auth.identityOf("root")
      : new Identity("", 0);
    const payload = this.kv.envelope(user, authRevision, encodeAuthCommand(command));
    this.index += 1;
    const { error } = this.kv.apply(
      { kind: OperationKind.Auth, level: 1, index: this.index, term: 1, wallMs, payload },
      true,
      1,
    );
    if (error !== KvError.None) throw new Error(`refused with ${error}`);
  }

  addUser(user: string, ...roles: string[]): void {
    this.apply({ action: AuthAction.UserAdd, user, passwordHash: "h", noPassword: false });
    for (const role of roles) this.apply({ action: AuthAction.UserGrantRole, user, role });
  }

  /** With a user root, and one that has no rights. */
  enable(): void {
    this.addUser("root", "root");
    this.addUser("u");
    this.apply({ action: AuthAction.Enable });
  }

  issue(user: string, token: string, wallMs: number = 1, ttlMs: number = 1000): void {
    const checkedRevision = this.kv.auth.revision;
    this.apply({ action: AuthAction.IssueToken, user, token, ttlMs, checkedRevision }, wallMs);
  }
}

/** 32 chars, as a hash has. */
export function tokenOf(name: string): string {
  return name.padEnd(32, ".");
}
