import { availableParallelism } from "node:os";
import { howToCall } from "../disk/how-to-call.ts";
import type { Device, Engine, EngineOptions } from "./engine.ts";
import { EngineError, reasonOf } from "./engine-error.ts";
import { startNative } from "./native.ts";
import { startWasm } from "./wasm.ts";
import { startWebgpu } from "./webgpu.ts";

export const DEVICES: readonly Device[] = ["auto", "cuda", "cpu", "webgpu", "wasm"];

export interface DeviceChoice {
  readonly device: Device;
  /** Which card, from `cuda:1`. */
  readonly gpu?: number;
}

/** Reads `--device`: one of the devices, or `cuda:N` as PyTorch's users write it. */
export function parseDevice(text: string): DeviceChoice {
  const word = text.trim().toLowerCase();
  const card = /^(?:cuda|gpu):(\d{1,3})$/.exec(word);
  if (card) return { device: "cuda", gpu: Number(card[1]) };
  if (word === "gpu") return { device: "cuda" };
  if (word === "cpu:0") return { device: "cpu" };
  const device = DEVICES.find((known) => known === word);
  if (device !== undefined) return { device };
  throw new EngineError(
    "unknown-device",
    `device "${text}" is not known`,
    `Use one of ${DEVICES.join(", ")}, or cuda:N for card N, counted from 0.`,
  );
}

let running: Promise<Engine> | undefined;

/**
 * Starts what computes and makes it the backend of `@tensorflow/tfjs-core`, once per process: a second
 * call gives the same engine (its options come too late), and an EngineError when it asks for another
 * device. `auto` takes a GPU
 * where the native library sees one, else the processor, else wasm with a warning.
 */
export async function startEngine(device: Device, options: EngineOptions = {}): Promise<Engine> {
  checkThreads(options.threads);
  while (running !== undefined) {
    const attempt = running;
    const engine = await attempt.catch(() => undefined);
    if (engine !== undefined) return same(engine, device);
    if (running === attempt) running = undefined;
  }
  running = start(device, options);
  return running;
}

function same(engine: Engine, device: Device): Engine {
  if (device === "auto" || device === engine.device) return engine;
  throw new EngineError(
    "engine-already-started",
    `this process computes on ${engine.device} already, and ${device} is asked for`,
    "Start another process for another device.",
  );
}

function checkThreads(threads: number | undefined): void {
  if (threads === undefined) return;
  if (Number.isInteger(threads) && threads >= 1 && threads <= 1024) return;
  throw new EngineError(
    "bad-threads",
    `${threads} threads are asked for, a whole number from 1 to 1024 is expected`,
    `This machine has ${availableParallelism()}.`,
  );
}

async function start(device: Device, options: EngineOptions): Promise<Engine> {
  if (device === "webgpu") return startWebgpu();
  if (device === "wasm") return startWasm();
  if (device !== "auto") return startNative(device, options);
  let reason: string;
  try {
    return await startNative("auto", options);
  } catch (error) {
    reason = reasonOf(error);
  }
  const engine = await startWasm();
  options.warn?.(
    `${reason}. The wasm backend computes instead, about 20 times slower: good to fly on, not to train on. ${howToCall("doctor")} says what to do.`,
  );
  return engine;
}
