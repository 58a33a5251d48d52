import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { howToCall } from "../disk/how-to-call.ts";
import { nvidiaCards } from "./doctor/probes.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { EngineError, reasonOf } from "./engine-error.ts";
import { ADDON, QUIET } from "./install/addon.ts";
import { runCommand } from "./install/command.ts";
import { ADDON_FOLDER, readInstalled } from "./install/installed.ts";
import { NATIVE_PACKAGE, nativePackage, projectRoot } from "./install/package-paths.ts";

const require = createRequire(import.meta.url);

/** What of tfjs-node's backend is used here; its own types name none of it. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** `quiet.cc` says more. */
interface Quiet {
  mute(): void;
  /** What was written to the error stream since `mute`. */
  unmute(): string;
  /** Signals are handled elsewhere from now on; false: they can't be. Absent from one that was built for 0.1. */
  shelter?(): boolean;
}

const installHint = () =>
  `Run: ${howToCall("doctor", "--install")} (it says what is missing), or use --device webgpu or wasm.`;

/** Loads tfjs-node on its native library. Throws an EngineError when that, or the GPU, is not there. */
export async function startNative(
  device: "auto" | "cuda" | "cpu",
  options: EngineOptions,
): Promise<Engine> {
  const folder = nativeFolder();
  setEnvironment(device, options);
  mendNode();
  const backend = loadBackend(folder);
  const installed = await readInstalled(folder);
  const gpu = backend.isUsingGpuDevice;
  if (device === "cuda" && !gpu) throw await noGpu(installed?.flavour);
  const cards = gpu ? await nvidiaCards(runCommand) : [];
  const accelerators = options.gpu === undefined ? cards : cards.slice(options.gpu).slice(0, 1);
  const version = backend.binding.TF_Version;
  const threads = Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism();
  const where = gpu ? (accelerators[0] ?? "GPU") : `${threads} thread${threads === 1 ? "" : "s"}`;
  return {
    backend: "tensorflow",
    device: gpu ? "cuda" : "cpu",
    version,
    ...(installed === undefined ? {} : { source: installed.source }),
    threads,
    accelerators,
    description: `TensorFlow ${version} on ${gpu ? "CUDA" : "the processor"}, ${where}`,
  };
}

function nativeFolder(): string {
  const folder = nativePackage(projectRoot());
  if (folder === undefined) {
    throw new EngineError(
      "native-unavailable",
      `the package ${NATIVE_PACKAGE} is not installed`,
      installHint(),
    );
  }
  if (!existsSync(join(folder, ADDON_FOLDER, ADDON))) {
    throw new EngineError("native-unavailable", "no native TensorFlow is installed", installHint());
  }
  return folder;
}

/** TensorFlow reads these once, when it loads. What the user has set stays. */
function setEnvironment(device: "auto" | "cuda" | "cpu", options: EngineOptions): void {
  const { env } = process;
  if (options.threads !== undefined) {
    env.TF_NUM_INTRAOP_THREADS = String(options.threads);
    // Below 0 a compiled call runs in the thread that asks for it: 6 % less of one that acts for 100. Else two:
    // who flies would wait for who learns where both are queued for one.
    env.TF_NUM_INTEROP_THREADS = options.threads === 1 ? "-1" : "2";
  }
  env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  // The simulator shares the card: without this TensorFlow takes nearly all of its memory at once.
  env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  // Ampere and later would multiply with 10 bits of mantissa: too few for checkpoints to be verified.
  env.NVIDIA_TF32_OVERRIDE ??= "0";
  if (options.xla && device !== "cpu") env.TF_XLA_FLAGS ??= "--tf_xla_auto_jit=2";
  if (device === "cpu") env.CUDA_VISIBLE_DEVICES = "-1";
  else if (options.gpu !== undefined) env.CUDA_VISIBLE_DEVICES = visibleCard(options.gpu);
}

/** `CUDA_VISIBLE_DEVICES` renumbers the cards: the N-th is the N-th of those it names. */
function visibleCard(gpu: number): string {
  const named = process.env.CUDA_VISIBLE_DEVICES?.split(",").filter((name) => name !== "");
  return named?.[gpu] ?? String(gpu);
}

/** tfjs-node 4.22 calls two functions of `util` that Node 22 warns of and Node 23 took away. */
function mendNode(): void {
  const util = require("node:util") as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
}

function loadBackend(folder: string): NodeBackend {
  const wanted = /^[01]$/.test(process.env.TF_CPP_MIN_LOG_LEVEL ?? "");
  const beside = loadQuiet(folder);
  // Before TensorFlow starts threads of its own, which take after this one.
  beside?.shelter?.();
  // In another thread the library is there already, and what the others say meanwhile would be muted too.
  const quiet = wanted || !isMainThread ? undefined : beside;
  let failure: unknown;
  let backend: NodeBackend | undefined;
  quiet?.mute();
  try {
    // Required, not imported: the same copy of tfjs-core that our imports see, in either case.
    const tf = require(folder) as { backend(): NodeBackend };
    backend = tf.backend();
  } catch (error) {
    failure = error;
  } finally {
    passOnErrors(quiet?.unmute() ?? "");
  }
  if (backend !== undefined) return backend;
  throw new EngineError(
    "native-unavailable",
    `the native TensorFlow does not load: ${reasonOf(failure)}`,
    installHint(),
    { cause: failure },
  );
}

function loadQuiet(folder: string): Quiet | undefined {
  try {
    return require(join(folder, ADDON_FOLDER, QUIET)) as Quiet;
  } catch {
    return undefined;
  }
}

/** Lines of TensorFlow's log start with I, W, E or F and the date. Two kinds of E mean nothing. */
export function isRealError(line: string): boolean {
  if (!/^[EF]\d{4} /.test(line)) return false;
  return !/Unable to register cu(DNN|FFT|BLAS) factory|failed call to cuInit/.test(line);
}

function passOnErrors(text: string): void {
  for (const line of text.split("\n")) if (isRealError(line)) process.stderr.write(`${line}\n`);
}

async function noGpu(flavour: "cpu" | "cuda" | undefined): Promise<EngineError> {
  const cards = await nvidiaCards(runCommand);
  if (cards.length === 0) {
    return new EngineError(
      "cuda-unavailable",
      "device cuda is asked for, and no NVIDIA driver shows a card (nvidia-smi finds none)",
      "Install NVIDIA's driver, or use --device cpu; --device webgpu runs on other vendors' cards.",
    );
  }
  const why =
    flavour === "cuda"
      ? "TensorFlow can't use it; often the driver is too old, and the log with TF_CPP_MIN_LOG_LEVEL=0 says why"
      : "the TensorFlow that is installed is the one without CUDA";
  return new EngineError(
    "cuda-unavailable",
    `device cuda is asked for, and the driver shows ${cards.join(", ")}, but ${why}`,
    flavour === "cuda"
      ? "Update NVIDIA's driver, or use --device cpu."
      : `Run: FIRSTSOLO_FLAVOUR=cuda ${howToCall("doctor", "--install")}, or use --device cpu.`,
  );
}
