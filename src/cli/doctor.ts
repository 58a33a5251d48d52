import type { Command } from "commander";
import { describeDiagnosis, diagnose } from "../engine/doctor/diagnosis.ts";
import { probeFacts } from "../engine/doctor/probe-facts.ts";
import { runInstallStep } from "../engine/install/install-step.ts";
import { parseDevice } from "../engine/start.ts";
import { exitCodes } from "../training/exit-codes.ts";

interface DoctorOptions {
  readonly device: string;
  readonly install?: boolean;
  readonly json?: boolean;
}

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "check what this machine has for training, and say what to do about what is missing",
    )
    .option("--json", "one JSON document")
    .option("--install", "fetch and build the native TensorFlow first, checking all that is cached")
    .option("--device <device>", "the device to check: auto, cuda, cpu, webgpu or wasm", "auto")
    .action(async (options: DoctorOptions) => {
      const { device, gpu } = parseDevice(options.device);
      if (options.install) await runInstallStep({ thorough: true });
      const facts = await probeFacts(device, gpu === undefined ? {} : { gpu });
      const diagnosis = diagnose(facts);
      console.log(options.json ? JSON.stringify(diagnosis) : describeDiagnosis(facts));
      if (!diagnosis.ok) process.exitCode = exitCodes.checkFailed;
    });
}
