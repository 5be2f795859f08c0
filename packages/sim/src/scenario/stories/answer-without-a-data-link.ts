// Seed 39 of the simulator: the leader's data link to a follower was gone, and its answer to a read
// that the follower had forwarded was dropped, although the link for control stood; the client waited
// its whole timeout. Here no hello for a data link comes through on that way.
import {
  decodeHello,
  FrameParser,
  FrameType,
  frameBodyBytesMax,
  LinkClass,
} from "@quorate/host/internal";
import { type Story, story } from "../story.ts";

export const answerWithoutADataLink: Story = story("answer-without-a-data-link", {}, (s) => {
  const leader = s.found();
  const follower = s.others(leader)[0]!;
  s.mustWrite(leader);
  s.run(100);
  const endOfLoss = s.loseOnDialled(leader, follower, asksForDataLink);
  s.cluster.network.closeLinks(leader, follower);
  s.run(500);
  s.expect("the leader is still followed", s.leads(leader) && s.settled([leader, follower]));
  const read = s.read(follower, `story/${leader}`);
  s.waitFor("a forwarded read is answered", s.timeoutMs, () => read.acknowledged);
  endOfLoss();
});

function asksForDataLink(bytes: Uint8Array): boolean {
  const parser = new FrameParser(frameBodyBytesMax);
  parser.feed(bytes);
  const frame = parser.next();
  if (frame === null || frame.type !== FrameType.Hello) return false;
  const hello = decodeHello(frame.body);
  return hello !== null && typeof hello !== "number" && hello.linkClass === LinkClass.Data;
}
