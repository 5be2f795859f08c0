// An answer that does not decode: something else than a member of this protocol answered.
import { CommandError } from "../exit.ts";

export function decoded<Response>(response: Response | null): Response {
  if (response === null) {
    throw new CommandError("the answer is no message of this protocol");
  }
  return response;
}
