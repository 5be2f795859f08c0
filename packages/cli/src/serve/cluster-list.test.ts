// --initial-cluster and URL lists: what etcd accepts, and a line that names the part at fault.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../exit.ts";
import { addressOf, hostAndPort, parseInitialCluster, parseUrls } from "./cluster-list.ts";

test("URLs: several, sorted, without the last slash", () => {
  deepEqual(parseUrls("http://b:2/, http://a:1", "f"), ["http://a:1", "http://b:2"]);
  deepEqual(parseUrls("http://[::1]:2379", "f"), ["http://[::1]:2379"]);
});

test("members in order of first mention, several URLs for one name", () => {
  deepEqual(
    [...parseInitialCluster("b=http://b:2,a=http://a:1,b=http://b:1")],
    [
      ["b", ["http://b:1", "http://b:2"]],
      ["a", ["http://a:1"]],
    ],
  );
});

test("wrong URLs: each with its line", () => {
  const rows: [string, string][] = [
    ["", '--f: "" is not a URL like http://host:port'],
    ["host", '--f: "host" is not a URL like http://host:port'],
    ["http://a:99999", '--f: "http://a:99999" is not a URL like http://host:port'],
    ["http://a", '--f: "http://a" has no port'],
    ["http://a:1/x", '--f: "http://a:1/x" must be http://host:port and nothing more'],
    ["http://u@a:1", '--f: "http://u@a:1" must be http://host:port and nothing more'],
    ["unix://a:1", '--f: "unix://a:1" must begin with http:// or https://'],
    ["https://a:1/x", '--f: "https://a:1/x" must be https://host:port and nothing more'],
    ["http://a:1,http://a:1/", '--f: the same URL stands twice in "http://a:1,http://a:1/"'],
  ];
  for (const [text, message] of rows) {
    throws(() => parseUrls(text, "f"), new UsageError(message), text);
  }
});

test("wrong lists of members: each with its line", () => {
  const rows: [string, string][] = [
    ["", '--initial-cluster: "" is not name=peerURL'],
    ["m1", '--initial-cluster: "m1" is not name=peerURL'],
    ["=http://a:1", '--initial-cluster: "=http://a:1" is not name=peerURL'],
    ["m1=a:1", '--initial-cluster: "a:1" must begin with http:// or https://'],
    ["m1=http://a:1,", '--initial-cluster: "" is not name=peerURL'],
    ["a=http://h:1,b=http://h:1", "--initial-cluster: http://h:1 belongs to both a and b"],
  ];
  for (const [text, message] of rows) {
    throws(() => parseInitialCluster(text), new UsageError(message), text);
  }
});

test("addresses to listen on and to dial: localhost is 127.0.0.1, IPv6 in brackets", () => {
  deepEqual(hostAndPort("http://localhost:2380"), { host: "127.0.0.1", port: 2380, secure: false });
  deepEqual(hostAndPort("http://[::1]:2380"), { host: "::1", port: 2380, secure: false });
  deepEqual(hostAndPort("https://m1:2380"), { host: "m1", port: 2380, secure: true });
  equal(addressOf("http://localhost:2380"), "127.0.0.1:2380");
  equal(addressOf("http://[::1]:2380"), "[::1]:2380");
  equal(addressOf("http://a.example:1"), "a.example:1");
});

test("behind TLS a host is dialled by the name that it has to prove", () => {
  equal(addressOf("https://localhost:2380"), "https://localhost:2380");
  equal(addressOf("https://[::1]:2380"), "https://[::1]:2380");
});
