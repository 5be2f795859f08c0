// What a certificate's text says of hosts, and what merely looks like it.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { hostsIn } from "./client-address.ts";

test("names and addresses of a subjectAltName, and nothing that another value holds", () => {
  const rows: readonly (readonly [string, readonly string[], boolean])[] = [
    ["", [], false],
    ["DNS:A.example, DNS:*.b.example", ["a.example", "*.b.example"], false],
    ["IP Address:10.0.0.1, DNS:c", ["c"], true],
    ["URI:spiffe://x DNS:evil.example", [], false],
    [String.raw`URI:"http://x/\u002c DNS:evil.example"`, [], false],
    [String.raw`DNS:"evil\u002c IP Address:10.0.0.1"`, [], false],
    ["email:IP Address:10.0.0.1@x", [], false],
  ];
  for (const [text, names, hasAddress] of rows) {
    deepEqual(hostsIn(text), { names, hasAddress }, text);
  }
});
