import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll } from "vitest";
import type { InstallOptions } from "../../src/engine/install/install.ts";
import { needsOwnProcess } from "../own-process.ts";
import { makeWheel } from "./zip-writer.ts";

needsOwnProcess(import.meta.url);

/** The repository's root: tests run there. */
export const REPOSITORY = resolve(import.meta.dirname, "..", "..");

const HOST = {
  platform: "linux",
  arch: "x64",
  glibc: "2.36",
  family: ["debian"],
  nvidiaDriver: false,
} as const;

/**
 * A machine in a temporary folder: a project with a small package in the place of tfjs-node, and a
 * `python3` on the PATH whose pip hands out a small wheel. The wheel, the libraries, the compiler, the
 * addon and its loading are real; only what would come from the network is ours.
 */
export interface FakeMachine {
  readonly folder: string;
  readonly cache: string;
  readonly path: string;
  /** Adds a project that could be another clone; gives options for `installEngine`. */
  clone(name?: string): InstallOptions & { readonly lines: string[]; readonly target: string };
  /** How often pip fetched the wheel. */
  downloads(): number;
  /** How often the compiler built something. */
  compilations(): number;
}

export function fakeMachine(): FakeMachine {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-engine-"));
  const bin = join(folder, "bin");
  const cache = join(folder, "cache");
  const wheel = join(folder, "tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl");
  writeFileSync(wheel, tinyTensorflow());
  program(join(bin, "python3"), python(wheel, join(folder, "downloads.log")));
  program(join(bin, "g++"), compiler(join(folder, "compilations.log")));
  const path = `${bin}:${process.env.PATH}`;
  const count = (file: string) =>
    existsSync(join(folder, file))
      ? readFileSync(join(folder, file), "utf8").split("\n").length - 1
      : 0;
  return {
    folder,
    cache,
    path,
    downloads: () => count("downloads.log"),
    compilations: () => count("compilations.log"),
    clone(name = "clone") {
      const root = makeProject(join(folder, name));
      const lines: string[] = [];
      return {
        root,
        target: join(root, "node_modules", "@tensorflow", "tfjs-node-gpu"),
        host: HOST,
        env: { FIRSTSOLO_CACHE: cache },
        report: (line) => void lines.push(line),
        lines,
      };
    },
  };
}

export function program(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o755 });
}

/** A Python that has only what the installer asks it: its version, pip's, and a download. */
function python(wheel: string, log: string): string {
  return `#!/bin/sh
case "$*" in
  *sys.version*) echo 3.12.1 ;;
  *"pip --version"*) echo "pip 24.0 from nowhere" ;;
  *"pip download"*)
    if [ -n "$PIP_FAILS" ]; then echo "ERROR: $PIP_FAILS" >&2; exit 1; fi
    echo download >> ${log}
    while [ "$1" != "-d" ]; do shift; done
    cp ${wheel} "$2/" ;;
esac
`;
}

/** The real compiler; the same sources against the same libraries are compiled once and then copied. */
function compiler(log: string): string {
  const real = execFileSync("sh", ["-c", "command -v g++"], { encoding: "utf8" }).trim();
  return `#!/bin/sh
case "$*" in
  *tfjs_binding*) echo build >> ${log} ;;
  *firstsolo_quiet*) ;;
  *) exec ${real} "$@" ;;
esac
for word in "$@"; do
  case "$word" in
    *.cc) sources="$sources $word" ;;
    -L*) sources="$sources $(ls -d "\${word#-L}"/*)" ;;
  esac
  [ "$previous" = -o ] && target=$word
  previous=$word
done
kept=${TINY}/$(cat $sources | cksum | tr -d ' ').node
[ -f $kept ] || { ${real} "$@" && cp "$target" $kept.$$ && mv $kept.$$ $kept; } || exit
cp $kept "$target"
`;
}

const TINY = mkdtempSync(join(tmpdir(), "firstsolo-tiny-"));
afterAll(() => rmSync(TINY, { recursive: true, force: true }));
let tiny: Buffer | undefined;

/** A wheel with two real shared libraries: the smallest thing an addon can be linked to. */
function tinyTensorflow(): Buffer {
  if (tiny !== undefined) return tiny;
  const library = (name: string, source: string): Buffer => {
    const target = join(TINY, name);
    writeFileSync(`${target}.c`, source);
    const args = [
      "-shared",
      "-fPIC",
      `-Wl,-soname,${name}`,
      "-x",
      "c",
      `${target}.c`,
      "-o",
      target,
    ];
    execFileSync("g++", args);
    return readFileSync(target);
  };
  const cc = "libtensorflow_cc.so.2";
  const framework = "libtensorflow_framework.so.2";
  tiny = makeWheel({
    [`tensorflow/${cc}`]: library(cc, "int TF_Sum(int a, int b) { return a + b; }"),
    [`tensorflow/${framework}`]: library(framework, "int TF_Nothing(void) { return 0; }"),
    "tensorflow/include/tensorflow/c/c_api.h": `extern "C" int TF_Sum(int, int);\n`,
    "tensorflow/include/unwanted/large.h": "// not wanted\n",
    "tensorflow/python/unwanted.py": "raise SystemExit\n",
  });
  return tiny;
}

const BINDING = `#include <node_api.h>
#include "tensorflow/c/c_api.h"
static napi_value Init(napi_env env, napi_value exports) {
  napi_value sum;
  napi_create_int32(env, TF_Sum(5, 7), &sum);
  napi_set_named_property(env, exports, "sum", sum);
  return exports;
}
NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
`;

/** As much of tfjs-node as the trial asks for; the sum comes out of the library. */
const PACKAGE = `
const binding = require("../lib/napi-v8/tfjs_binding.node");
const tensor = { dataSync: () => [binding.sum] };
module.exports = {
  ones: () => tensor, matMul: () => tensor, sum: () => tensor,
  backend: () => ({ isUsingGpuDevice: false, binding: { TF_Version: "2.21.0-tiny" } }),
};
`;

function makeProject(root: string): string {
  const target = join(root, "node_modules", "@tensorflow", "tfjs-node-gpu");
  const file = (path: string, text: string) => {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  };
  file(
    "package.json",
    `{ "name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0", "main": "dist/index.js" }`,
  );
  file("dist/index.js", PACKAGE);
  file("binding/tfjs_binding.cc", BINDING);
  file("scripts/install.js", `console.error("Error: getaddrinfo ENOTFOUND"); process.exit(1);`);
  writeFileSync(join(root, "package.json"), `{ "name": "a-clone" }`);
  const headers = join(REPOSITORY, "node_modules", "node-api-headers");
  symlinkSync(headers, join(root, "node_modules", "node-api-headers"));
  return root;
}
