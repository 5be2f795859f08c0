// What disk and network know of the process that uses them: whether it still lives, and how to
// enter it. Completions of a dead process go nowhere.

export interface SimUser {
  readonly name: string;
  readonly alive: boolean;
  /** Calls into the process; does nothing when it is dead, waits while it is paused. */
  run(task: () => void): void;
}
