// The contract suite against a real etcd, so that it is proved right before it judges Quorate. The
// groups whose cases are about waiting run in `npm run conformance` alone.
import { testAgainst } from "./suite/node-tests.ts";

const waits = new Set(["quorum", "watch-3", "lease-3"]);

testAgainst("etcd", (name) => !waits.has(name));
