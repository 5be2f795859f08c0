// What finds out who calls, made from the options of a member.
import type { Logger } from "pino";
import type { HostApi } from "@quorate/host";
import type { AuthParts } from "../etcd/services.ts";
import type { AuthOptions } from "./auth-token.ts";
import { Credentials } from "./credentials.ts";
import { JsonWebTokens } from "./jwt.ts";
import { Login } from "./login.ts";
import { Passwords } from "./passwords.ts";

export function makeAuthParts(host: HostApi, options: AuthOptions, logger: Logger): AuthParts {
  const { signed, tokenTtlMs, bcryptCost } = options;
  const tokens = signed === null ? null : new JsonWebTokens(signed.signing, signed.ttlSeconds);
  const passwords = new Passwords(bcryptCost);
  const login = new Login({ host, passwords, signed: tokens, tokenTtlMs, logger });
  return { credentials: new Credentials(tokens), passwords, login, logger };
}
