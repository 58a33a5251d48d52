import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "./engine.ts";
import { EngineError, reasonOf } from "./engine-error.ts";
import { registerGradients } from "./gradients.ts";

const DRIVER_HINT =
  "Install the card's Vulkan driver (on Linux also libvulkan1; `vulkaninfo` shows what is there), or use --device cpu.";

/** The part of WebGPU's API that is used here. */
interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
  };
  readonly limits: Readonly<Record<string, number>>;
  readonly features: ReadonlySet<string>;
  requestDevice(wanted: object): Promise<object>;
}

/**
 * Computes on any vendor's card through WebGPU. Only the asynchronous `data()` reads a tensor here;
 * `dataSync()` throws.
 */
export async function startWebgpu(): Promise<Engine> {
  const adapter = await findAdapter();
  try {
    registerGradients();
    const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
    const device = await adapter.requestDevice({
      requiredFeatures: ["timestamp-query"].filter((name) => adapter.features.has(name)),
      requiredLimits: Object.fromEntries(
        LIMITS.map((name) => [name, adapter.limits[name]]).filter(
          ([, limit]) => limit !== undefined,
        ),
      ),
    });
    type Arguments = ConstructorParameters<typeof WebGPUBackend>;
    // The package registers a factory that asks a browser; ours takes its place.
    tf.removeBackend("webgpu");
    tf.registerBackend(
      "webgpu",
      () => new WebGPUBackend(device as Arguments[0], adapter.info as Arguments[1]),
      3,
    );
    if (!(await tf.setBackend("webgpu"))) throw new Error("the backend refused to start");
    await tf.ready();
  } catch (error) {
    throw unavailable(`the WebGPU backend does not start: ${reasonOf(error)}`, error);
  }
  const { description, vendor, device } = adapter.info;
  const name = description || [vendor, device].filter((word) => word !== "").join(" ") || "unnamed";
  return {
    backend: "webgpu",
    device: "webgpu",
    version: tf.version_core,
    threads: 1,
    accelerators: [name],
    description: `TensorFlow.js ${tf.version_core} on WebGPU, ${name}`,
  };
}

/** What the backend wants more of than WebGPU's defaults, as far as the card has it. */
const LIMITS = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
];

async function findAdapter(): Promise<Adapter> {
  let adapter: Adapter | null;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    const gpu = create([]) as unknown as { requestAdapter(wish: object): Promise<Adapter | null> };
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    // Dawn's objects live as long as this one is reachable.
    if (!("gpu" in navigatorObject())) Object.assign(navigatorObject(), { gpu });
  } catch (error) {
    throw unavailable(`WebGPU does not load: ${reasonOf(error)}`, error);
  }
  if (adapter === null) throw unavailable("WebGPU finds no graphics card or driver");
  return adapter;
}

function navigatorObject(): object {
  const holder = globalThis as { navigator?: object };
  holder.navigator ??= {};
  return holder.navigator;
}

function unavailable(message: string, cause?: unknown): EngineError {
  return new EngineError("webgpu-unavailable", message, DRIVER_HINT, { cause });
}
