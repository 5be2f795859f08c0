// What a story does with alarms through the host's own requests, as an operator would, and what the
// members make of them.
import { latin1Encode } from "@quorate/base";
import { FailureCode } from "@quorate/host";
import { AlarmAction, AlarmCause, type AlarmType, type KvError, PutRequest } from "@quorate/kv";
import { planned } from "../workloads/workload.ts";
import type { Ask } from "./ask.ts";
import type { Scenario } from "./scenario.ts";

export class AlarmActs {
  readonly #s: Scenario;

  constructor(s: Scenario) {
    this.#s = s;
  }

  /** An operator raises it for the member, or takes it back. */
  activate(by: string, type: AlarmType): void {
    this.#ask(by, AlarmAction.Activate, type);
  }

  deactivate(by: string, type: AlarmType): void {
    this.#ask(by, AlarmAction.Deactivate, type);
  }

  #ask(by: string, action: AlarmAction, type: AlarmType): void {
    const what = `${action === AlarmAction.Activate ? "raises" : "takes back"} alarm ${type}`;
    this.#s.timeline.tell(by, what);
    const { incarnation, host, config } = this.#s.member(by);
    const { memberId } = config;
    incarnation!.run(() => {
      host!.alarm(
        { action, type, memberId, cause: AlarmCause.Operator, text: "" },
        {
          reply: () => this.#s.timeline.tell(by, `${what}: done`),
          fail: ({ code }) => this.#s.timeline.tell(by, `${what}: failed, code ${code}`),
        },
      );
    });
  }

  isActive(name: string, type: AlarmType): boolean {
    return this.#s.running(name) && this.#s.status(name).alarms.some((one) => one.type === type);
  }

  waitUntil(names: readonly string[], type: AlarmType, active: boolean, withinMs: number): void {
    this.#s.waitFor(`alarm ${type} is ${active ? "" : "not "}active everywhere`, withinMs, () =>
      names.every((name) => this.#s.running(name) && this.isActive(name, type) === active),
    );
  }

  /** A put at each of them is refused for exactly this; asked again as long as nobody can tell. */
  mustRefuse(names: readonly string[], error: KvError): void {
    const asks = new Map(names.map((name) => [name, this.#put(name)]));
    this.#s.waitFor("puts are answered", 5_000, () => {
      for (const [name, ask] of asks) if (isOpen(ask)) asks.set(name, this.#put(name));
      return [...asks.values()].every((ask) => !ask.pending);
    });
    for (const { refused, operation } of asks.values()) {
      this.#s.expect(`puts are refused for ${error}`, refused && operation.kvError === error);
    }
  }

  #put(name: string): Ask {
    const value = latin1Encode(`refused ${this.#s.history.operations.length}`);
    return this.#s.ask(name, planned(new PutRequest({ key: latin1Encode("refused"), value })));
  }
}

function isOpen({ unknown, operation }: Ask): boolean {
  return unknown || operation.failure === FailureCode.NoLeader;
}
