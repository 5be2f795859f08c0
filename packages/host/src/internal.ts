// For the simulator only: the peer protocol's codecs, so that strangers can speak it and repeat it.
// Not part of the package's promise.
export {
  type Frame,
  frameBodyBytesMax,
  FrameParser,
  FrameType,
  FrameWriter,
} from "./peers/frame.ts";
export {
  decodeHello,
  decodeRefusal,
  encodeHello,
  Hello,
  type HelloFields,
  LinkClass,
  peerProtocolVersion,
  RefusalCode,
} from "./peers/hello.ts";
export { journalEventsMax } from "./journal.ts";
export { encodeForwardProposal } from "./peers/forward-codec.ts";
export {
  encodeRecordChanges,
  type RecordChange,
  RecordChangeKind,
} from "./members/members-change.ts";
export { Announcer } from "./recover/announcer.ts";
