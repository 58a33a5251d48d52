import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { howToCall } from "../../disk/how-to-call.ts";
import { findCompiler } from "../doctor/probes.ts";
import { EngineError } from "../engine-error.ts";
import { faultOf, makeEntry } from "./cache.ts";
import { explainCompiler, howToInstall } from "./host.ts";
import { withLock } from "./lock.ts";
import { linkLibraries, type NativeLibrary } from "./native-library.ts";
import type { Workplace } from "./wheel.ts";

export const ADDON = "tfjs_binding.node";
export const QUIET = "quiet.node";

const LINKS = "links";

/** Milliseconds for one compiler run: 10 s of work, 30 to 60 times that in an emulated or crowded machine. */
const COMPILE_TIMEOUT = 1_800_000;

/** The version of Node's stable interface that the addon is built for: Node 16 and all after it. */
const NODE_API = 8;

export interface AddonSources {
  /** The folder of `@tensorflow/tfjs-node-gpu`. */
  readonly binding: string;
  /** The folder of `node-api-headers`. */
  readonly headers: string;
  /** Our own `quiet.cc`; absent leaves TensorFlow's greeting on the error stream. */
  readonly quiet?: string;
}

/** The built addon's folder in the cache; compiled there first where it is missing or damaged. */
export async function addonFor(
  place: Workplace,
  sources: AddonSources,
  library: NativeLibrary,
): Promise<string> {
  const name = `addon-${place.host.platform}-${place.host.arch}-${keyOf(sources, library)}`;
  const entry = join(place.cache, name);
  const sound = async () => (await faultOf(entry, { thorough: true })) === undefined;
  if (await sound()) return entry;
  await withLock(
    join(place.cache, `${name}.lock`),
    async () => {
      if (await sound()) return;
      place.report("building the addon against it (about 10 s)");
      await makeEntry(place.cache, name, (folder) => compile(place, sources, library, folder));
    },
    { report: place.report },
  );
  return entry;
}

/** Depends on everything that goes into the addon, so that a changed source is built anew. */
function keyOf(sources: AddonSources, library: NativeLibrary): string {
  const hash = createHash("sha256").update(`${NODE_API} ${library.identity}\n`);
  const folder = join(sources.binding, "binding");
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  if (sources.quiet !== undefined) hash.update(readFileSync(sources.quiet));
  return hash.digest("hex").slice(0, 16);
}

async function compile(
  place: Workplace,
  sources: AddonSources,
  library: NativeLibrary,
  folder: string,
): Promise<void> {
  const compiler = await findCompiler(place.run);
  if (compiler === undefined) {
    throw new EngineError(
      "tool-missing",
      "no C++ compiler on the PATH",
      `Run: ${howToInstall("compiler", place.host)}, then ${howToCall("doctor", "--install")}.`,
    );
  }
  const links = join(folder, LINKS);
  await linkLibraries(library, links);
  for (const job of compilerJobs(place, sources, library, folder)) {
    const built = await place.run(compiler.command, job, { timeout: COMPILE_TIMEOUT });
    if (built.status === 0) continue;
    if (built.stopped === "timeout") {
      throw new EngineError(
        "compile-failed",
        `${compiler.version || compiler.command} was stopped after ${COMPILE_TIMEOUT / 60_000} min, the addon half built`,
        `Try again on a machine that does less: ${howToCall("doctor", "--install")}.`,
      );
    }
    throw new EngineError(
      "compile-failed",
      `${compiler.version || compiler.command} could not build the addon: ${explainCompiler(built.stderr)}`,
      "g++ 9 or newer, or clang++ 10 or newer, builds it; CXX names another compiler.",
    );
  }
  await rm(links, { recursive: true });
}

/** The compiler's arguments for the addon, and for what keeps TensorFlow's greeting back. */
function compilerJobs(
  place: Workplace,
  sources: AddonSources,
  library: NativeLibrary,
  folder: string,
): readonly (readonly string[])[] {
  const links = join(folder, LINKS);
  const include = [`-I${join(sources.headers, "include")}`];
  const common = ["-std=gnu++17", "-O2", "-fPIC", "-shared", `-DNAPI_VERSION=${NODE_API}`];
  common.push("-DBUILDING_NODE_EXTENSION");
  if (place.host.platform === "darwin") common.push("-undefined", "dynamic_lookup");
  const jobs = [
    [
      ...["-DNODE_GYP_MODULE_NAME=tfjs_binding", ...include],
      ...[`-I${sources.binding}`, `-I${library.include}`],
      ...sourceFiles(sources.binding),
      ...["-o", join(folder, ADDON), ...linkOptions(place.host.platform, links)],
    ],
  ];
  if (sources.quiet !== undefined && existsSync(sources.quiet)) {
    const named = "-DNODE_GYP_MODULE_NAME=firstsolo_quiet";
    jobs.push([named, ...include, sources.quiet, "-o", join(folder, QUIET)]);
  }
  return jobs.map((job) => [...common, ...job]);
}

function sourceFiles(binding: string): readonly string[] {
  const folder = join(binding, "binding");
  const names = readdirSync(folder).filter((name) => name.endsWith(".cc"));
  return names.sort().map((name) => join(folder, name));
}

/** The libraries are looked for from where the addon will lie in the package: `lib/napi-v8`. */
function linkOptions(platform: string, links: string): readonly string[] {
  const from = platform === "darwin" ? "@loader_path" : "$ORIGIN";
  const libraries = ["-ltensorflow", "-ltensorflow_framework"];
  return [`-L${links}`, ...libraries, `-Wl,-rpath,${from}/../../deps/lib`];
}
