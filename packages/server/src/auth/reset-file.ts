// The word of an operator who has no password any more: a file in a member's data directory that names a
// user and the hash of a new password. Who may write there may do anything to that member anyway; whoever
// is remote cannot. Read at most once: it is gone, durably, before it has any effect.
import fs from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

/** Not one of storage's names: a directory that is set aside or copied leaves it where it is. */
const fileName = "auth-reset";
const bytesMax = 8192;
/** Writable by its group or by everybody. */
const othersWrite = 0o022;

export interface ResetWord {
  readonly user: string;
  /** bcrypt's text. */
  readonly passwordHash: string;
}

export async function isResetThere(directory: string): Promise<boolean> {
  try {
    await stat(join(directory, fileName));
    return true;
  } catch {
    return false;
  }
}

/** Durable when this returns; throws what the file system throws. */
export function writeReset(directory: string, word: ResetWord): void {
  const path = join(directory, fileName);
  const draft = `${path}.draft`;
  fs.rmSync(draft, { force: true });
  const file = fs.openSync(draft, "wx", 0o600);
  try {
    fs.writeFileSync(file, JSON.stringify(word));
    const { uid, gid } = fs.statSync(directory);
    // The member reads it, and does not run as root, maybe, as this command does.
    if (process.getuid?.() === 0) fs.fchownSync(file, uid, gid);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.renameSync(draft, path);
  syncDirectory(directory);
}

/** The word, which is gone then; or why there is none that may be believed. */
export function takeReset(directory: string): ResetWord | string {
  const path = join(directory, fileName);
  try {
    const text = read(path);
    if (text === null) return `${path} may be another user's word: it is not believed`;
    fs.rmSync(path);
    syncDirectory(directory);
    return parse(text) ?? `${path} was not written by quorate auth reset`;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return `${path} cannot be taken: ${code}`;
  }
}

/** Null: somebody else may have written it. */
function read(path: string): string | null {
  const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const { uid, mode } = fs.fstatSync(file);
    const isOurs = uid === process.getuid?.() || uid === 0;
    if (!isOurs || (mode & othersWrite) !== 0) return null;
    const bytes = Buffer.alloc(bytesMax);
    return bytes.toString("utf8", 0, fs.readSync(file, bytes, 0, bytesMax, 0));
  } finally {
    fs.closeSync(file);
  }
}

function parse(text: string): ResetWord | null {
  try {
    const { user, passwordHash } = JSON.parse(text) as Partial<Record<string, unknown>>;
    const isWord = typeof user === "string" && user !== "" && typeof passwordHash === "string";
    return isWord && /^\$2[aby]\$/.test(passwordHash) ? { user, passwordHash } : null;
  } catch {
    return null;
  }
}

function syncDirectory(directory: string): void {
  const handle = fs.openSync(directory, fs.constants.O_RDONLY);
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
