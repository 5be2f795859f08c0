// `quorate auth reset`: writes the word by which a member gives a user a new password. Asks nobody, and
// touches nothing else in the directory, so that the member may run meanwhile.
import {
  NodeDisk,
  passwordBytesMax,
  Passwords,
  bcryptCostDefault,
  writeReset,
} from "@quorate/server";
import { isOwnedNow } from "@quorate/storage";
import { CommandError, UsageError } from "../exit.ts";
import { askPassword } from "./ask-password.ts";

export interface ResetOptions {
  readonly dataDir: string;
  readonly user: string;
}

export async function reset({ dataDir, user }: ResetOptions): Promise<void> {
  if (user === "") throw new UsageError("--user is empty");
  if (!isOwnedNow({ disk: new NodeDisk() }, dataDir)) {
    throw new UsageError(`${dataDir}: no data directory of Quorate, or it is not yours`);
  }
  const password = await askPassword(user);
  if (password === "") throw new UsageError("the password is empty");
  if (Buffer.byteLength(password) > passwordBytesMax) {
    throw new UsageError(`the password has more than ${passwordBytesMax} bytes`);
  }
  const passwordHash = await hashed(password);
  try {
    writeReset(dataDir, { user, passwordHash });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`${dataDir} cannot be written: ${code}`);
  }
  process.stdout.write(
    `The member of ${dataDir} gives ${user} this password as soon as it serves; its log says so.\n`,
  );
}

function hashed(password: string): Promise<string> {
  return new Promise((resolve, reject) => {
    new Passwords(bcryptCostDefault).hash(password, (hash) => {
      if (hash === null) reject(new CommandError("the password could not be hashed"));
      else resolve(hash);
    });
  });
}
