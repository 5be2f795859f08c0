// docs/OPERATING.md as something to be carried out: its commands word for word, on the hosts of a test in
// the place of the page's. Only addresses, directories and the word of a plan are replaced; whoever does not
// work on a member's machine adds --endpoints, as the test does.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Members } from "./members.ts";
import type { Hosts } from "./net.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/OPERATING.md"), "utf8");
const binary = join(import.meta.dirname, "../../packages/cli/bin/quorate");

/** Every line of the page's command blocks, in order. */
export const guideLines: readonly string[] = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block!.split("\n"))
  .filter((line) => line !== "");

export interface GuideExtras {
  /** What the plan asks to be confirmed with. */
  readonly word?: string;
  /** What is typed. */
  readonly input?: string;
}

export interface GuideEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export class GuideCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<GuideEnd>;

  constructor(child: ChildProcess) {
    this.child = child;
    let stdout = "";
    let stderr = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    this.ended = new Promise((resolve) => {
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }
}

export class Guide {
  readonly #hosts: Hosts;
  readonly #members: Members;
  /** Lines of the page that were run. */
  readonly done: Set<string>;
  readonly #running: ChildProcess[];

  constructor(hosts: Hosts, members: Members) {
    this.#hosts = hosts;
    this.#members = members;
    this.done = new Set();
    this.#running = [];
  }

  /** The page's line that begins so, on this host. */
  begin(
    host: number,
    line: string,
    more: readonly string[] = [],
    { word = "", input = "" }: GuideExtras = {},
  ): GuideCommand {
    const whole = `quorate ${line}`;
    const found =
      guideLines.find((one) => one === whole) ??
      guideLines.find((one) => one.startsWith(`${whole} `));
    if (found === undefined) throw new Error(`no command of the page begins with ${line}`);
    this.done.add(found);
    return this.other(host, this.#here(host, found, word).split(" ").slice(1), more, input);
  }

  async run(
    host: number,
    line: string,
    more: readonly string[] = [],
    extras: GuideExtras = {},
  ): Promise<GuideEnd> {
    const ended = await this.begin(host, line, more, extras).ended;
    if (ended.code === 0) return ended;
    throw new Error(`${line}: ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
  }

  /** A command that is not on the page. */
  other(
    host: number,
    words: readonly string[],
    more: readonly string[] = [],
    input: string = "",
  ): GuideCommand {
    const cwd = dirname(this.#members.directory(0));
    const all = ["netns", "exec", this.#hosts.namespace(host), binary, ...words, ...more];
    const child = spawn("ip", all, { cwd, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    this.#running.push(child);
    return new GuideCommand(child);
  }

  stop(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  #here(host: number, line: string, word: string): string {
    return line
      .replaceAll(/10\.0\.0\.(\d)/g, (_all, number) => this.#hosts.address(Number(number) - 1))
      .replaceAll("/var/lib/quorate", this.#members.directory(host))
      .replaceAll(/\/var\/lib\/m(\d)/g, (_all, number) =>
        this.#members.directory(Number(number) - 1),
      )
      .replaceAll(/\/mnt\/(\S+)/g, (_all, name) => `${dirname(this.#members.directory(0))}/${name}`)
      .replaceAll("lose-1a2b", word);
  }
}
