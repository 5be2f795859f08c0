// What a password may be (CVE-2020-15115): not empty, not longer than bcrypt reads, and the log says when
// it is short.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { GrpcSink } from "@quorate/grpc";
import { nobody } from "@quorate/kv";
import { etcd } from "@quorate/proto";
import { logLines } from "../tls/testing/lines.ts";
import { AuthService } from "./auth-service.ts";
import type { AuthServiceParts } from "./auth-service.ts";

test("passwords: empty and too long ones are refused before they are hashed, short ones are told", () => {
  const { logger, lines } = logLines();
  const hashed: string[] = [];
  const parts = { logger, passwords: { hash: (password: string) => void hashed.push(password) } };
  const service = new AuthService(parts as unknown as AuthServiceParts);
  const heard: string[] = [];
  const sink = { fail: (_code: number, text: string) => void heard.push(text) };
  const add = (password: string): void => {
    const request = create(etcd.AuthUserAddRequestSchema, { name: "u", password });
    const bytes = toBinary(etcd.AuthUserAddRequestSchema, request);
    service.userAdd(bytes, sink as unknown as GrpcSink, nobody);
  };
  add("");
  deepEqual(heard.splice(0), ["etcdserver: password is empty"]);
  add("x".repeat(73));
  deepEqual(heard.splice(0), ["bcrypt: password length exceeds 72 bytes"]);
  deepEqual([hashed.length, lines.length], [0, 0]);
  add("long enough");
  equal(lines.length, 0);
  add("short");
  deepEqual([lines[0]!.msg, lines[0]!["user"]], ["a password of less than 8 characters", "u"]);
  deepEqual([hashed, heard], [["long enough", "short"], []]);
});
