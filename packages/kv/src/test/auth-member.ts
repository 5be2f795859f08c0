// A member with users and roles, changed as a host would: by commands through apply.
import { KvError } from "../kv-error.ts";
import { OperationKind } from "../operation.ts";
import { MemoryRows } from "../testing/memory-rows.ts";
import { AuthAction, encodeAuthCommand } from "../auth/auth-command.ts";
import type { AuthCommand } from "../auth/auth-command.ts";
import { nobody } from "../auth/identity.ts";
import type { Identity } from "../auth/identity.ts";
import { PermissionType } from "../auth/user.ts";
import { Member, term } from "./member.ts";
import type { Request } from "./requests.ts";

const { Read, Write, ReadWrite } = PermissionType;
const types: Record<string, PermissionType> = { r: Read, w: Write, rw: ReadWrite };

export class AuthMember extends Member {
  constructor() {
    super(new MemoryRows());
  }

  auth(command: AuthCommand, identity: Identity = nobody): KvError {
    return this.apply(OperationKind.Auth, encodeAuthCommand(command), true, term, identity).error;
  }

  as(user: string): Identity {
    return this.kv.auth.identityOf(user);
  }

  addUser(user: string, roles: readonly string[] = [], identity: Identity = nobody): void {
    this.#must(
      { action: AuthAction.UserAdd, user, passwordHash: `hash of ${user}`, noPassword: false },
      identity,
    );
    for (const role of roles) {
      this.#must({ action: AuthAction.UserGrantRole, user, role }, identity);
    }
  }

  /** Permissions as "r a", "w a c", "rw a \0": type, key, end. */
  addRole(role: string, permissions: readonly string[] = [], identity: Identity = nobody): void {
    this.#must({ action: AuthAction.RoleAdd, role }, identity);
    for (const text of permissions) {
      const [type = "", key = "", rangeEnd = ""] = text.split(" ");
      const permission = { type: types[type]!, key, rangeEnd };
      this.#must({ action: AuthAction.RoleGrantPermission, role, permission }, identity);
    }
  }

  /** With a user root that has the role root. */
  enable(): void {
    this.addUser("root", ["root"]);
    this.#must({ action: AuthAction.Enable }, nobody);
  }

  ask(request: Request, identity: Identity): KvError {
    return this.apply(request.kind as OperationKind, request.bytes, true, term, identity).error;
  }

  #must(command: AuthCommand, identity: Identity): void {
    const error = this.auth(command, identity);
    if (error !== KvError.None) throw new Error(`${JSON.stringify(command)}: ${error}`);
  }
}
