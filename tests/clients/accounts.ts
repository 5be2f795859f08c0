// The users of the tests with clients, and how authentication is turned on with them.
import type { GrpcClient } from "@quorate/grpc";
import { AuthCalls, Right } from "../conformance/auth/auth-calls.ts";

/** Root may everything, al what begins with "al/". */
export const accounts = {
  root: "password of root",
  al: "password of al",
} as const;

export async function enableAuth(client: GrpcClient): Promise<void> {
  const calls = new AuthCalls(client);
  await calls.addRole("al");
  await calls.grant("al", Right.Both, "al/", "al0");
  await calls.addUser("al", accounts.al, "al");
  await calls.enable(accounts.root);
}
