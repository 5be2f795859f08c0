// The time of tokens: what is used is renewed once in a quarter of its TTL, what is over is ended by the
// leader alone, and nothing is proposed twice at a time. Method: ticks by hand, proposals answered by hand.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { AuthAction } from "@quorate/kv";
import type { AuthCommand } from "@quorate/kv";
import { FailureCode } from "../host-api.ts";
import type { ReplySink } from "../host-api.ts";
import { failure } from "../proposals.ts";
import { AuthState, tokenOf } from "./test/auth-state.ts";
import { TokenDuty } from "./token-duty.ts";

const tickMs = 100;
const ttlMs = 8000;

class Duty {
  readonly state: AuthState;
  readonly duty: TokenDuty;
  readonly proposed: { command: AuthCommand; sink: ReplySink }[];
  nowMs: number;
  leads: boolean;

  constructor() {
    this.state = new AuthState();
    this.proposed = [];
    this.nowMs = 0;
    this.leads = false;
    this.duty = new TokenDuty({
      kv: this.state.kv,
      clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
      tickMs,
      isLeader: () => this.leads,
      propose: (command, sink) => void this.proposed.push({ command, sink }),
    });
    this.state.enable();
    this.state.issue("u", tokenOf("t"), 1, ttlMs);
  }

  passSeconds(seconds: number, use: boolean = false): void {
    for (let tick = 0; tick < seconds * 10; tick += 1) {
      this.nowMs += tickMs;
      if (use) this.duty.used(tokenOf("t"));
      this.duty.tick(this.nowMs / tickMs);
    }
  }

  /** Applies what was proposed, and answers it. */
  apply(): number {
    const all = this.proposed.splice(0);
    for (const { command, sink } of all) {
      this.state.apply(command, this.nowMs);
      sink.reply(new Uint8Array(0));
    }
    return all.length;
  }
}

test("a token in use is renewed at its first use at a member, and once in a quarter of its TTL then", () => {
  const duty = new Duty();
  duty.passSeconds(1, true);
  deepEqual(
    duty.proposed.map(({ command }) => command),
    [{ action: AuthAction.RenewTokens, tokens: [tokenOf("t")] }],
  );
  let renewals = duty.apply();
  for (let seconds = 0; seconds < 40; seconds += 1) {
    duty.passSeconds(1, true);
    renewals += duty.apply();
    equal(duty.state.kv.auth.tokens.get(tokenOf("t"))?.user, "u");
  }
  equal(renewals <= 41 / 2 + 2, true, `${renewals} renewals`);
});

test("who issued a token need not renew it at once; what is not used is not renewed", () => {
  const duty = new Duty();
  duty.duty.issued(tokenOf("t"));
  duty.duty.used(tokenOf("t"));
  duty.duty.used(tokenOf("unknown"));
  duty.passSeconds(5);
  equal(duty.proposed.length, 0);
});

test("a renewal that came to nothing is asked for again by the next use", () => {
  const duty = new Duty();
  duty.passSeconds(1, true);
  duty.passSeconds(3, true);
  equal(duty.proposed.length, 1, "one at a time");
  duty.proposed.splice(0)[0]!.sink.fail(failure(FailureCode.NoLeader));
  duty.passSeconds(1, true);
  equal(duty.proposed.length, 1);
});

test("the leader, and nobody else, ends what is over", () => {
  const duty = new Duty();
  duty.passSeconds(11);
  equal(duty.proposed.length, 0);
  duty.leads = true;
  duty.passSeconds(2);
  deepEqual(
    duty.proposed.map(({ command }) => command),
    [{ action: AuthAction.ExpireTokens }],
  );
  duty.apply();
  equal(duty.state.kv.auth.tokens.get(tokenOf("t")), null);
  duty.passSeconds(5);
  equal(duty.proposed.length, 0);
});
