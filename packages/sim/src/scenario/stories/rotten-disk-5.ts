// A disk that damages everything it is given (reliability.md §8, 54; §3.7, S18): the member works from
// memory and does not notice, until it reads its rows or starts again. Then it takes its state anew, three
// times, finds each damaged, ends with exit code 72 and says so at every later start. It is sent its data
// three times at most, and then nothing; the other four acknowledge as fast as before.
import { ExitCode } from "@quorate/storage";
import type { Ask } from "../ask.ts";
import { quantile } from "../figures.ts";
import { shortLog } from "../scenario-options.ts";
import { stories, type Story } from "../story.ts";

const checksMs = 100;
/** A path, or a segment of the log. */
const namesFile = /\/|\bwal-\d+\.log at offset \d+/;

export const rottenDisk5: Story = stories("rotten-disk-5", (stage) => {
  const secondsEach = stage.full ? 60 : 1;
  stage.play("", { members: 5, host: shortLog }, (s) => {
    const leader = s.found();
    const rotten = s.others(leader)[0]!;
    const id = s.raftId(rotten);
    const sent = (): number => s.status(leader).peers.find((p) => p.raftId === id)!.bytesSent;
    const stream = s.stream(10, 1000);
    s.load({ workload: "unique-puts", clients: 3, thinkMaxMs: 50, members: s.others(rotten) });
    s.run(secondsEach * 1000);
    const before = stream.asks.splice(0);

    s.giveUp(rotten);
    s.disk(rotten).rots();
    s.run(secondsEach * 1000);
    const sentBefore = sent();
    s.kill(rotten);
    s.start(rotten);
    const found = (): boolean => s.member(rotten).incarnation!.exitCode === ExitCode.Damaged;
    s.waitFor("the damage is found", 20_000, found);
    const during = stream.asks.splice(0);

    const { liveBytes, usage } = s.status(leader);
    const dataBytes = usage!.rowBytes + usage!.walBytes;
    const sentThen = sent();
    const sentMeanwhile = sentThen - sentBefore;
    s.expect("it was sent its data three times", sentMeanwhile <= 3 * dataBytes);
    let saysWhat = true;
    for (let ms = 0; ms < secondsEach * 1000; ms += checksMs) {
      if (!s.running(rotten)) s.start(rotten);
      s.run(checksMs);
      saysWhat &&= found() && namesFile.test(s.member(rotten).incarnation!.reason);
    }
    s.expect("it says so at every start", saysWhat);
    s.expect("it is sent nothing over and over", sent() - sentThen <= 3 * liveBytes);
    const slow = (asks: readonly Ask[]): number =>
      quantile(
        asks.map((ask) => ask.tookMs),
        0.99,
      );
    const line = [before, during, stream.asks].map((asks) => `${slow(asks).toFixed(1)} ms`);
    stage.print(`99 % of writes, before, while it rots, after: ${line.join(", ")}`);
    stage.print(
      `sent to it until it gave up: ${sentMeanwhile} bytes, its data is ${dataBytes}; ` +
        `afterwards: ${sent() - sentThen} bytes`,
    );
    s.expect("the others are as fast", slow(stream.asks) <= 2 * slow(before) + 5);
  });
});
