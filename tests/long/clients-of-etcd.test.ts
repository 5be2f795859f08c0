// The same clients against a real etcd, so that their cases are proved right before they judge Quorate.
import { testSuites } from "../clients/run-suites.ts";

testSuites("etcd");
