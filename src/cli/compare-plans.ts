import type { Command } from "commander";
import { comparePlans, comparisonText } from "../algorithms/world_model/compare-plans.ts";
import type { WorldModelConfig } from "../algorithms/world_model/keys.ts";
import { resolveConfig } from "../config/resolve.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { threadsOf } from "../session/threads.ts";
import { warn } from "../training/messages.ts";
import { wholeFlag } from "./number-flag.ts";

interface Options {
  readonly epochs: string;
  readonly seeds: string;
  readonly device?: string;
  readonly json?: boolean;
}

export function registerComparePlans(program: Command): void {
  program
    .command("compare-plans")
    .description("train a world model by every plan on the same recorded flights, and compare")
    .argument("<file>", "recorded flights, an HDF5 file")
    .argument("[overrides...]", "KEY=VALUE of world_model, e.g. algorithm.warmup_epochs=5")
    .option("--epochs <N>", "epochs of each", "30")
    .option("--seeds <N>", "runs of each, with other weights and other episodes held out", "3")
    .option("--device <NAME>", "where TensorFlow computes")
    .option("--json", "one JSON document")
    .action(compareCommand);
}

async function compareCommand(
  file: string,
  overrides: readonly string[],
  { epochs, seeds, device, json }: Options,
): Promise<void> {
  const count = wholeFlag("--seeds", seeds);
  const { config } = resolveConfig({
    flags: [{ name: "dataset", value: file, raw: file, origin: "the argument" }],
    overrides: [
      ...["algorithm.class_name=world_model", `max_iterations=${wholeFlag("--epochs", epochs)}`],
      ...(device === undefined ? [] : [`device=${device}`]),
      ...overrides,
    ],
  });
  await startEngine(parseDevice(config.device).device, { threads: threadsOf(config), warn });
  const comparison = await comparePlans(config as WorldModelConfig, {
    seeds: Array.from({ length: count }, (_, i) => i + 1),
    compile: compileWith(config.compile),
    say: json ? () => {} : warn,
  });
  console.log(json ? JSON.stringify(comparison) : comparisonText(comparison));
}
