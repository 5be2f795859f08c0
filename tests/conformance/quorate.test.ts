// The contract suite against Quorate.
import { testAgainst } from "./suite/node-tests.ts";

testAgainst("quorate", () => true);
