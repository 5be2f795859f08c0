// Unmodified clients of etcd against Quorate.
import { testSuites } from "./run-suites.ts";

testSuites("quorate");
