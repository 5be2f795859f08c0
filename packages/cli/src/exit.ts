// How a command ends when it cannot do what was asked: one clear line on standard error and an exit
// code. A member's own codes (70 to 75) are storage's; these are what main can end with.

export const exitCodes = {
  /** The command was understood and refused or failed: etcd's text, as etcdctl shows it. */
  failed: 1,
  /** The user is at fault, or a port or directory cannot be used. */
  usage: 64,
  /** A bug. */
  unexpected: 70,
} as const;

/** Thrown by anything that checks what the user said; caught in main. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Thrown when a cluster's answer is an error, or no endpoint answers; caught in main. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CommandError";
  }
}
