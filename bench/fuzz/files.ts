/** Files from elsewhere: policies, data sets, configurations. */
import { deepStrictEqual } from "node:assert";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { readZip } from "../../policies/checkpoint/zip-read.ts";
import { writeZip } from "../../policies/checkpoint/zip-write.ts";
import { modelForm } from "../../policies/onnx/model-memory.ts";
import { readOnnx } from "../../policies/onnx/read-onnx.ts";
import type { Random } from "../../policies/random.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { FlightWriter } from "../../src/datasets/flight-writer.ts";
import { openFlights } from "../../src/datasets/open-flights.ts";
import { readSafetensors } from "../../src/learning/safetensors.ts";
import { below, mutated } from "./mutate.ts";
import type { Target } from "./target.ts";

/** Larger ones would only make each try slower. */
const mostBytes = 300_000;

/** Compiled or not, the inputs lie where package.json is. */
export function projectFolder(folder = import.meta.dirname): string {
  return existsSync(join(folder, "package.json")) ? folder : projectFolder(dirname(folder));
}

function filesIn(folder: string, ending: RegExp): Uint8Array[] {
  const path = join(projectFolder(), folder);
  const names = readdirSync(path).filter((name) => ending.test(name));
  const all = names.map((name) => new Uint8Array(readFileSync(join(path, name))));
  return all.filter(({ length }) => length <= mostBytes);
}

const readPolicy = (bytes: Uint8Array) => {
  readRslRl(bytes, "input.pt");
};

export const checkpoints: Target = {
  title: "bytes of checkpoints",
  corpus: () => [
    ...filesIn("test/data/checkpoints", /\.pt$/),
    ...filesIn("test/data/foreign", /\.pth?$/),
  ],
  take: readPolicy,
};

/** The archive stays whole, so that what is behind its checksums is reached. */
export const members: Target = {
  title: "members of checkpoints",
  corpus: checkpoints.corpus,
  change: changedMember,
  take: readPolicy,
};

export const programs: Target = {
  title: "members of TorchScript programs",
  corpus: () => filesIn("test/data/torchscript", /\.pt$/),
  change: changedMember,
  take: readPolicy,
};

function changedMember(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const files = new Map([...readZip(bytes, "input.pt")].map(([name, file]) => [name, file.read()]));
  const telling = [...files.keys()].filter((name) => /\.pkl$|code\/.*\.py$/.test(name));
  const name = telling[below(random, telling.length)];
  if (name !== undefined) files.set(name, mutated(files.get(name)!, other, random));
  return writeZip(files);
}

export const models: Target = {
  title: "bytes of ONNX models",
  corpus: () => filesIn("test/data/onnx", /\.onnx$/),
  take: (bytes) => {
    const { inputs, outputs } = readOnnx(bytes, "input.onnx");
    modelForm(inputs, outputs, "input.onnx");
  },
};

export const references: Target = {
  title: "bytes of safetensors",
  corpus: () => filesIn("test/data/parity", /\.safetensors$/),
  take: (bytes) => {
    readSafetensors(bytes, "input.safetensors");
  },
};

const configuration = `seed: 7
num_envs: 16
task: quadcopter-noisy
algorithm: {class_name: Distillation, learning_rate: 1.0e-3, num_learning_epochs: 4}
policy:
  student_hidden_dims: &w [128, 128]
  teacher_hidden_dims: *w
  activation: elu
obs_groups:
  student: [policy]
env:
  sim: {dt: 0.01}
`;

export function configurations(): Target {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-fuzz-"));
  const file = join(folder, "input.yaml");
  return {
    title: "text of configurations",
    corpus: () => [new TextEncoder().encode(configuration)],
    take: (bytes) => {
      writeFileSync(file, bytes);
      resolveConfig({ file });
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** One data set of our own, small; layouts of others are other paths to the same reader. */
export async function dataSets(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-fuzz-"));
  const whole = join(folder, "whole.hdf5");
  await writeFlights(whole);
  const file = join(folder, "input.hdf5");
  const expected = await firstRows(whole);
  let taken = 0;
  return {
    title: "bytes of HDF5 data sets",
    corpus: () => [new Uint8Array(readFileSync(whole))],
    take: async (bytes) => {
      writeFileSync(file, bytes);
      taken += 1;
      try {
        await firstRows(file);
      } finally {
        // A damaged file may hurt nobody else's.
        if (taken % 50 === 0) deepStrictEqual(await firstRows(whole), expected);
      }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Of every episode, at most 1000. */
async function firstRows(file: string): Promise<readonly Float32Array[]> {
  const flights = await openFlights(file, { memoryBytes: 64 * 2 ** 20, patience: 0.5 });
  const { width } = flights.spec.groups.policy ?? { width: 0 };
  const all: Float32Array[] = [];
  try {
    for (const [episode, length] of flights.episodes.lengths.entries()) {
      if (width === 0 || width > 1000) continue;
      const rows = { episode, from: 0, count: Math.min(length, 1000) };
      const into = new Float32Array(rows.count * width);
      flights.read("obs/policy", rows, into, 0);
      all.push(into);
    }
    return all;
  } finally {
    flights.close();
  }
}

async function writeFlights(path: string): Promise<void> {
  const tensor = { dtype: "<f4", shape: [2] } as const;
  const writer = await FlightWriter.create(path, {
    ...{ task: "fuzz", numEnvs: 1, controlPeriod: 0.02, maxEpisodeSteps: 4 },
    ...{ autoreset: "same_step", capabilities: [] },
    observations: { policy: { ...tensor, names: ["x", "v"], units: ["m", "m/s"] } },
    action: { ...tensor, low: [-1, -1], high: [1, 1], names: ["a", "b"], units: ["1", "1"] },
  });
  for (let episode = 0; episode < 3; episode += 1) {
    const arrays = {
      ...{ "obs/policy": Float32Array.from({ length: 8 }, (_, i) => i / 8) },
      ...{ actions: new Float32Array(8), rewards: new Float32Array(4).fill(1) },
      ...{ terminated: Uint8Array.of(0, 0, 0, 1), truncated: new Uint8Array(4) },
    };
    writer.write(writer.start(), 4, { arrays, last: { policy: new Float32Array(2) } });
  }
  writer.close();
}
