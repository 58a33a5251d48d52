import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { probeCompile } from "../compile/probe.ts";
import type { Device, EngineOptions } from "../engine.ts";
import { EngineError, reasonOf } from "../engine-error.ts";
import { bytesUnder, cacheRoot } from "../install/cache.ts";
import { runCommand } from "../install/command.ts";
import { readInstalled } from "../install/installed.ts";
import { nativePackage, packageFolder, projectRoot } from "../install/package-paths.ts";
import { startEngine } from "../start.ts";
import { type Facts, type Failure, isFailure } from "./diagnosis.ts";
import { findCompiler, findPython, nvidiaCards, probeHost } from "./probes.ts";

/** Looks at everything that a flight needs. Never throws: a part that does not work is a fact. */
export async function probeFacts(device: Device, options: EngineOptions = {}): Promise<Facts> {
  const warnings: string[] = [];
  const warn = (line: string) => warnings.push(line);
  const engine = await orFailure(() => startEngine(device, { ...options, warn }));
  const compile = isFailure(engine) ? undefined : await orFailure(async () => probeCompile());
  const zeromq = await orFailure(async () => (await import("./probe-zeromq.ts")).probeZeromq());
  const mujoco = await orFailure(probeMujoco);
  const compiler = await findCompiler(runCommand);
  const native = nativePackage(projectRoot());
  const installed = native === undefined ? undefined : await readInstalled(native);
  const path = cacheRoot();
  return {
    node: process.versions.node,
    host: probeHost(),
    engine,
    ...(compile && { compile }),
    warnings,
    python: await findPython(runCommand),
    ...(compiler === undefined ? {} : { compiler }),
    ...(installed === undefined ? {} : { flavour: installed.flavour }),
    cards: await nvidiaCards(runCommand),
    zeromq,
    mujoco,
    cache: { path, bytes: await bytesUnder(path) },
    oneCore: sharesOneCore(),
  };
}

async function orFailure<T>(look: () => Promise<T>): Promise<T | Failure> {
  try {
    return await look();
  } catch (error) {
    const failed = reasonOf(error);
    return error instanceof EngineError ? { failed, hint: error.hint } : { failed };
  }
}

async function probeMujoco(): Promise<{ version: string }> {
  const { default: load } = await import("@mujoco/mujoco");
  const mujoco = await load();
  return { version: mujoco.mj_versionString() };
}

/** Gradients are kept in the copy of tfjs-core that registered them: there must be one. */
export function sharesOneCore(): boolean {
  const root = projectRoot();
  const native = nativePackage(root);
  const union = native === undefined ? undefined : packageFolder("@tensorflow/tfjs", native);
  if (union === undefined) return true;
  const coreOf = (from: string) =>
    realpathSync(createRequire(join(from, "package.json")).resolve("@tensorflow/tfjs-core"));
  try {
    return coreOf(root) === coreOf(union);
  } catch {
    return false;
  }
}
