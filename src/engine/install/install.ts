import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { probeHost } from "../doctor/probes.ts";
import { EngineError, reasonOf } from "../engine-error.ts";
import { addonFor } from "./addon.ts";
import { bringNativePackage } from "./bring-package.ts";
import { cacheRoot } from "./cache.ts";
import { type RunCommand, runCommand } from "./command.ts";
import { type Flavour, flavourFor, type Host, TENSORFLOW_VERSION } from "./host.ts";
import {
  type Installed,
  leadsTo,
  linkIntoPackage,
  readInstalled,
  removeAddon,
  withPackageLock,
  writeInstalled,
} from "./installed.ts";
import { libraryIn, type NativeLibrary } from "./native-library.ts";
import { packageFolder, projectRoot } from "./package-paths.ts";
import { installPrebuilt } from "./prebuilt.ts";
import { type Tried, tryNative } from "./try-native.ts";
import { libraryFromWheel, type Workplace } from "./wheel.ts";

export interface InstallOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly host?: Host;
  readonly run?: RunCommand;
  readonly report?: (line: string) => void;
  /** Read every cached byte, and do everything again where anything is off. */
  readonly thorough?: boolean;
}

export type InstallOutcome =
  | { readonly kind: "ready"; readonly installed: Installed; readonly changed: boolean }
  | { readonly kind: "skipped" }
  /** No native TensorFlow: `wasm` or `webgpu` must do. Each reason says what to do about it. */
  | { readonly kind: "fallback"; readonly reasons: readonly EngineError[] };

interface Job {
  readonly place: Workplace;
  readonly root: string;
  readonly target: string;
  readonly asked: string;
  readonly flavour: Flavour;
  readonly thorough: boolean;
}

/** How much slower the fallback is, in words and measured figures; printed wherever it is taken. */
export const SLOW_FALLBACK =
  "the wasm backend computes instead: about 20 times slower (281 ms instead of 14 ms for one training step of a 12-128-128-128-4 network on 4096 samples)";

/**
 * Puts a native TensorFlow into `@tensorflow/tfjs-node-gpu`. In this order: the one that
 * `FIRSTSOLO_TENSORFLOW` points at, the wheel, the package's own download. Never throws: what stands
 * in the way comes back as reasons.
 */
export async function installEngine(options: InstallOptions = {}): Promise<InstallOutcome> {
  const { env = process.env, run = runCommand, report = () => {} } = options;
  if (isOn(env.FIRSTSOLO_SKIP_TENSORFLOW)) return { kind: "skipped" };
  const reasons: EngineError[] = [];
  try {
    const root = options.root ?? projectRoot();
    const host = options.host ?? probeHost(env);
    const cache = cacheRoot(env);
    await mkdir(cache, { recursive: true });
    const target = await bringNativePackage(run, root, report);
    const job: Job = {
      place: { host, cache, run, report },
      root,
      target,
      asked: env.FIRSTSOLO_TENSORFLOW ?? "",
      flavour: flavourFor(host, env.FIRSTSOLO_FLAVOUR),
      thorough: options.thorough ?? false,
    };
    return await withPackageLock(cache, target, () => installInto(job, reasons));
  } catch (error) {
    reasons.push(asEngineError(error));
    return { kind: "fallback", reasons };
  }
}

async function installInto(job: Job, reasons: EngineError[]): Promise<InstallOutcome> {
  const { report } = job.place;
  const before = await readInstalled(job.target);
  for (const candidate of candidates(job)) {
    try {
      return await candidate(before);
    } catch (error) {
      const reason = asEngineError(error);
      reasons.push(reason);
      report(`${reason.message}.\n  → ${reason.hint}`);
    }
  }
  return { kind: "fallback", reasons };
}

type Candidate = (before: Installed | undefined) => Promise<InstallOutcome>;

/** What is tried, best first. */
function candidates(job: Job): readonly Candidate[] {
  const { asked, flavour, place, thorough } = job;
  const found: Candidate[] = [];
  if (asked !== "") {
    found.push(async (before) =>
      useLibrary(job, libraryIn(asked, { source: "environment" }), before),
    );
  }
  for (const each of flavour === "cuda" ? (["cuda", "cpu"] as const) : (["cpu"] as const)) {
    found.push(async (before) => {
      const fresh = before?.source !== "wheel";
      const library = await libraryFromWheel(place, each, { thorough: thorough || fresh });
      return useLibrary(job, library, before);
    });
  }
  found.push((before) => usePrebuilt(job, before));
  return found;
}

/** Builds, links and tries one library; does nothing where it lies there already. */
async function useLibrary(
  job: Job,
  library: NativeLibrary,
  before: Installed | undefined,
): Promise<InstallOutcome> {
  const { place, target } = job;
  const from = library.identity;
  const start = Date.now();
  const addon = await addonFor(place, addonSources(job), library);
  if (!job.thorough && before?.from === from && (await leadsTo(target, library, addon))) {
    return { kind: "ready", installed: before, changed: false };
  }
  await linkIntoPackage(target, library, addon);
  const tried = await tryOrRemove(job);
  const { source, flavour } = library;
  return finish(job, { source, flavour, from }, tried, start);
}

async function usePrebuilt(job: Job, before: Installed | undefined): Promise<InstallOutcome> {
  if (before?.source === "prebuilt") return { kind: "ready", installed: before, changed: false };
  const start = Date.now();
  job.place.report("trying the package's own download (TensorFlow 2.9.1)");
  await installPrebuilt(job.place.run, job.target, job.flavour);
  const tried = await tryOrRemove(job);
  const { flavour } = job;
  return finish(job, { source: "prebuilt", flavour, from: "prebuilt" }, tried, start);
}

/** A library that does not load is taken out again: it can end the process that loads it. */
async function tryOrRemove(job: Job): Promise<Tried> {
  try {
    return await tryNative(job.place.run, job.target);
  } catch (error) {
    await removeAddon(job.target);
    throw error;
  }
}

async function finish(
  job: Job,
  what: Pick<Installed, "source" | "flavour" | "from">,
  tried: Tried,
  start: number,
): Promise<InstallOutcome> {
  const installed: Installed = { ...what, version: tried.version, asked: job.asked };
  await writeInstalled(job.target, installed);
  const where = tried.gpu ? "the GPU" : "the processor";
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  job.place.report(`TensorFlow ${tried.version} is in place, on ${where} (${seconds} s)`);
  return { kind: "ready", installed, changed: true };
}

function addonSources(job: Job): { binding: string; headers: string; quiet?: string } {
  const headers = packageFolder("node-api-headers", job.root);
  if (headers === undefined) {
    throw new EngineError(
      "package-missing",
      "the package node-api-headers is not installed, and the addon is built with it",
      "Run: npm install.",
    );
  }
  const quiet = join(projectRoot(), "src", "engine", "install", "quiet.cc");
  return { binding: job.target, headers, ...(existsSync(quiet) ? { quiet } : {}) };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const full = (error as NodeJS.ErrnoException)?.code === "ENOSPC";
  return new EngineError(
    full ? "disk-full" : "cache-unusable",
    full ? "the disk is full" : `the install step failed: ${reasonOf(error)}`,
    full
      ? "Free some space."
      : `TensorFlow ${TENSORFLOW_VERSION} needs a writable cache and package folder.`,
    { cause: error },
  );
}
