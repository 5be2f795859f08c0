// How a command ends when its user is at fault: one clear line on standard error and exit code 64.

export const usageExitCode = 64;

/** Thrown by anything that checks what the user said; caught in main. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
