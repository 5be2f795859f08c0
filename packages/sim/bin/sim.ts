// npm run sim: the simulator from a checkout. With worker.ts and its neighbours the only part of the
// simulator that sees Node.
import { simCommand } from "./command.ts";

process.exitCode = await simCommand(process.argv.slice(2));
