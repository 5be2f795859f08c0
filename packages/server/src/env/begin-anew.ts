// A process begins anew in its own place: same process id, flags, environment and standard streams, and
// nothing else of before. The kernel closes its sockets and files, and with them its locks, as if it
// had died; no supervisor sees an end.

/** Returns only where that is not possible (another system, a thread), with the reason. */
export function beginAnew(): string {
  if (typeof process.execve !== "function") return "this system cannot replace a process";
  try {
    const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    process.execve(process.execPath, argv, process.env);
  } catch (error) {
    return String(error);
  }
  return "it was not replaced";
}
