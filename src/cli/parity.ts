import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { parityKinds } from "../algorithms/parity-kinds.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { LearningError } from "../learning/learning-error.ts";
import { describeParity, type ParityReport, replayFile } from "../learning/parity/run-parity.ts";

interface ParityOptions {
  readonly keepLeftover?: boolean;
  readonly device: string;
  readonly json?: boolean;
}

export function registerParity(program: Command): void {
  const kinds = parityKinds.map(({ name }) => name).join(", ");
  program
    .command("parity")
    .description("repeat updates and results that reference programs recorded, and compare")
    .argument("<file...>", `files of recorded updates (safetensors) or results (JSON): ${kinds}`)
    .option("--keep-leftover", "train on the steps after the last full window too; rsl_rl doesn't")
    .option("--device <device>", "auto, cuda, cpu, webgpu or wasm", "auto")
    .option("--json", "one JSON document")
    .action(async (files: string[], { keepLeftover = false, device, json }: ParityOptions) => {
      await startEngine(parseDevice(device).device, { warn: (line) => console.error(line) });
      const reports: ParityReport[] = [];
      for (const path of files) {
        const beside = (name: string) => bytesOf(join(dirname(path), name));
        const file = { name: basename(path), read: () => bytesOf(path), beside };
        const report = await replayFile(file, parityKinds, { keepLeftover });
        reports.push(report);
        if (!json) console.log(describeParity(report));
      }
      if (json) console.log(JSON.stringify({ reports }));
      if (reports.some((report) => !report.passed)) process.exitCode = 1;
    });
}

function bytesOf(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause) => {
    throw new LearningError(
      "no-file",
      `${path} can't be read: ${cause.message}.`,
      "Give the path of a safetensors file, e.g. test/data/parity/mlp-clip.safetensors.",
      { cause },
    );
  });
}
