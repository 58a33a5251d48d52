import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { createMlp } from "../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { Normaliser, normaliserStateIn } from "../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import {
  type ParityCase,
  type ParityUpdate,
  parityTolerance,
  readParityCase,
  replayParity,
} from "../algorithms/distillation/parity.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { LearningError } from "../learning/learning-error.ts";
import { readSafetensors } from "../learning/safetensors.ts";

interface ParityOptions {
  readonly keepLeftover?: boolean;
  readonly device: string;
  readonly json?: boolean;
}

export function registerParity(program: Command): void {
  program
    .command("parity")
    .description("repeat rsl_rl's recorded distillation updates and compare weights and losses")
    .argument("<file...>", "safetensors files of recorded updates, e.g. test/data/parity/*")
    .option("--keep-leftover", "train on the steps after the last full window too; rsl_rl doesn't")
    .option("--device <device>", "auto, cuda, cpu, webgpu or wasm", "auto")
    .option("--json", "one JSON document")
    .action(async (files: string[], options: ParityOptions) => {
      await startEngine(parseDevice(options.device).device, {
        warn: (line) => console.error(line),
      });
      const reports = [];
      for (const file of files) {
        const updates = await replayFile(file, options);
        const passed = updates.every((update) => update.passed);
        reports.push({ file: basename(file), passed, updates });
        if (!options.json) console.log(describe(basename(file), passed, updates));
      }
      if (options.json) console.log(JSON.stringify({ tolerance: parityTolerance, reports }));
      if (reports.some((report) => !report.passed)) process.exitCode = 1;
    });
}

async function replayFile(path: string, options: ParityOptions): Promise<ParityUpdate[]> {
  const bytes = await readFile(path).catch((cause) => {
    throw new LearningError(
      "no-file",
      `${path} can't be read: ${cause.message}.`,
      "Give the path of a safetensors file, e.g. test/data/parity/mlp-clip.safetensors.",
      { cause },
    );
  });
  const file = readSafetensors(bytes, path);
  const parity = readParityCase(file, !options.keepLeftover);
  const policy = studentOf(parity);
  const updates = await replayParity(file, parity, policy);
  policy.dispose();
  return updates;
}

function studentOf(parity: ParityCase): NetworkPolicy {
  const { observationWidth, actionWidth, weights, rnnType, rnnHidden, rnnLayers } = parity;
  const mlp = {
    inputWidth: observationWidth,
    outputWidth: actionWidth,
    hidden: parity.hidden,
    activation: parity.activation,
    weights,
  };
  const network =
    rnnType === ""
      ? createMlp(mlp)
      : createRecurrent({ ...mlp, rnn: { type: rnnType, width: rnnHidden, layers: rnnLayers } });
  const normaliser = parity.normalised
    ? new Normaliser(observationWidth, normaliserStateIn(weights))
    : undefined;
  return new NetworkPolicy({ network, normaliser, reads: ["policy"] });
}

function describe(file: string, passed: boolean, updates: readonly ParityUpdate[]): string {
  const lines = updates.map(
    (u, i) =>
      `  update ${i + 1}: loss ${u.loss.toFixed(8)} (off by ${u.lossError.toExponential(1)}), ` +
      `weights off by ${u.weightError.toExponential(1)} at ${u.worst}`,
  );
  return [`${passed ? "ok  " : "FAIL"} ${file}`, ...lines].join("\n");
}
