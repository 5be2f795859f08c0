// Regenerates packages/proto/src/gen from the .proto files. Needs protoc (Debian: protobuf-compiler)
// and fetches the generator by npx; the result is committed, so nobody else needs either.
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const generator = "@bufbuild/protoc-gen-es@2.17.0";
const root = join(import.meta.dirname, "..");
const source = join(root, "packages/proto/proto");
const target = join(root, "packages/proto/src/gen");

const files = globSync("**/*.proto", { cwd: source }).sort();
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const protoc = [
  "protoc",
  `--proto_path=${source}`,
  `--es_out=${target}`,
  "--es_opt=target=js+dts,import_extension=js",
  ...files,
].join(" ");
execFileSync("npx", ["--yes", `--package=${generator}`, "-c", protoc], {
  cwd: root,
  stdio: "inherit",
});
