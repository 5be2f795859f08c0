// What a local cluster shows: its own lines on standard output, the members' on standard error, each
// with its member's name in its member's colour (no colour without a terminal or with NO_COLOR).
import { LineWeight } from "./log-line.ts";
import type { LogLine } from "./log-line.ts";

const memberColours = [36, 35, 33, 32, 34]; // cyan, magenta, yellow, green, blue
const weightColours: Partial<Record<LineWeight, number>> = {
  [LineWeight.Warning]: 33,
  [LineWeight.Error]: 31,
};

export class Screen {
  readonly #verbose: boolean;
  readonly #colour: boolean;

  constructor(verbose: boolean, colour: boolean) {
    this.#verbose = verbose;
    this.#colour = colour;
  }

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** A line of the member with this number, from 0. */
  member(number: number, name: string, line: LogLine): void {
    if (this.#verbose || line.weight >= LineWeight.Notable) {
      const prefix = this.#paint(`${name} |`, memberColours[number % memberColours.length]);
      process.stderr.write(`${prefix} ${this.#paint(line.text, weightColours[line.weight])}\n`);
    }
  }

  #paint(text: string, colour: number | undefined): string {
    return this.#colour && colour !== undefined ? `\x1b[${colour}m${text}\x1b[0m` : text;
  }
}

export function wantsColour(
  stream: { readonly isTTY?: boolean },
  environment: NodeJS.ProcessEnv,
): boolean {
  return stream.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
}
