/** What the machine does during a run, under the names W&B draws on its system page. */
import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { cpus, freemem, totalmem } from "node:os";
import type { Metrics } from "../metric-sink.ts";

const MEBIBYTE = 1024 * 1024;

interface CpuTimes {
  readonly cores: number;
  /** Milliseconds since the machine started, over all cores. */
  readonly busy: number;
  readonly total: number;
}

/** Shares of time are those since the previous sample, in percent. */
export class SystemMeter {
  #own = process.cpuUsage();
  #at = process.hrtime.bigint();
  #machine = machineTimes();

  sample(): Metrics {
    const at = process.hrtime.bigint();
    const used = process.cpuUsage(this.#own);
    const microseconds = Number(at - this.#at) / 1000;
    const machine = machineTimes();
    const total = memoryLimit();
    const rss = process.memoryUsage.rss();
    const ticks = machine.total - this.#machine.total;
    const figures: Record<string, number> = {
      "proc.memory.rssMB": rss / MEBIBYTE,
      "proc.memory.percent": (100 * rss) / total,
      "proc.memory.availableMB": freemem() / MEBIBYTE,
      memory_percent: 100 * (1 - freemem() / totalmem()),
    };
    if (microseconds > 0)
      figures.cpu = (100 * (used.user + used.system)) / microseconds / machine.cores;
    if (ticks > 0) figures["machine.cpu"] = (100 * (machine.busy - this.#machine.busy)) / ticks;
    this.#own = process.cpuUsage();
    this.#at = at;
    this.#machine = machine;
    return figures;
  }
}

function machineTimes(): CpuTimes {
  let busy = 0;
  let total = 0;
  const cores = cpus();
  for (const { times } of cores) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    total += all;
    busy += all - times.idle;
  }
  return { cores: Math.max(1, cores.length), busy, total };
}

/** Bytes; a container's limit where it is below the machine's memory. */
function memoryLimit(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

export interface GpuSample {
  readonly names: readonly string[];
  readonly figures: Metrics;
}

/** What nvidia-smi is asked for, and W&B's name of each; `%` and °C and W as they come. */
const GPU_COLUMNS = [
  ["utilization.gpu", "gpu"],
  ["utilization.memory", "memory"],
  ["temperature.gpu", "temp"],
  ["power.draw", "powerWatts"],
] as const;

const GPU_QUERY = ["index", "name", "memory.used", "memory.total", ...GPU_COLUMNS.map(([q]) => q)];

/** Reads what `nvidia-smi --format=csv,noheader,nounits` prints; a figure it hasn't is left out. */
export function parseNvidiaSmi(text: string): GpuSample {
  const names: string[] = [];
  const figures: Record<string, number> = {};
  for (const line of text.split("\n").filter((l) => l.trim() !== "")) {
    const cells = line.split(",").map((cell) => cell.trim());
    const [index = "", name = "", used = "", total = "", ...rest] = cells;
    if (!/^\d+$/.test(index)) continue;
    names.push(name);
    const put = (key: string, value: number) => {
      if (Number.isFinite(value)) figures[`gpu.${index}.${key}`] = value;
    };
    put("memoryAllocatedBytes", figure(used) * MEBIBYTE);
    put("memoryAllocated", (100 * figure(used)) / figure(total));
    GPU_COLUMNS.forEach(([, key], i) => {
      put(key, figure(rest[i] ?? ""));
    });
  }
  return { names, figures };
}

/** `[N/A]` and the like are no number. */
function figure(cell: string): number {
  return cell === "" ? Number.NaN : Number(cell);
}

/** Asks the driver's own tool; undefined where there is none or it has trouble. */
export function sampleGpus(program = "nvidia-smi"): Promise<GpuSample | undefined> {
  const args = [`--query-gpu=${GPU_QUERY.join(",")}`, "--format=csv,noheader,nounits"];
  return new Promise((resolve) => {
    try {
      const child = execFile(program, args, { timeout: 5000 }, (error, stdout) => {
        const sample = error ? undefined : parseNvidiaSmi(stdout);
        resolve(sample && sample.names.length > 0 ? sample : undefined);
      });
      child.unref();
      for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
    } catch {
      resolve(undefined);
    }
  });
}

export interface WatchOptions {
  /** Seconds between two samples. */
  readonly period?: number;
  /** The program that knows the NVIDIA GPUs. */
  readonly nvidiaSmi?: string;
  readonly onSample: (figures: Metrics) => void;
  /** Told once, when GPUs are found. */
  readonly onGpus?: (names: readonly string[]) => void;
}

/** Short runs want their first figures before a full period is over. */
const FIRST_SAMPLE_MS = 2000;

/** Samples on timers that never keep the process alive; `stop` takes one more sample. */
export function watchSystem(options: WatchOptions): { stop(): void } {
  const { onSample, onGpus, nvidiaSmi } = options;
  const meter = new SystemMeter();
  let hasGpus = false;
  let asking = false;
  let stopped = false;
  void sampleGpus(nvidiaSmi).then((found) => {
    if (!found || stopped) return;
    hasGpus = true;
    onGpus?.(found.names);
  });
  const tick = async () => {
    if (asking) return;
    asking = true;
    const found = hasGpus ? await sampleGpus(nvidiaSmi) : undefined;
    asking = false;
    if (!stopped) onSample({ ...meter.sample(), ...found?.figures });
  };
  const first = setTimeout(() => void tick(), FIRST_SAMPLE_MS).unref();
  const timer = setInterval(() => void tick(), 1000 * (options.period ?? 10)).unref();
  return {
    stop() {
      clearTimeout(first);
      clearInterval(timer);
      if (!stopped) onSample(meter.sample());
      stopped = true;
    },
  };
}
