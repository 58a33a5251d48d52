import type { Command } from "commander";
import { RequestQueue } from "../running/requests.ts";
import type { Shell } from "../session/shell.ts";
import { train } from "../session/train.ts";
import type { TrainInput } from "../session/train-input.ts";
import { Notices } from "../training/messages.ts";
import { watchSignals } from "../training/signals.ts";
import { addTrainOptions, type ParsedOptions, trainInput } from "./train-options.ts";
import { landedBy } from "./uncaught.ts";

export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a student: distill a teacher, or learn from recorded flights");
  addTrainOptions(command).action(async (overrides: string[], options: ParsedOptions) => {
    const version = program.version() ?? "0";
    process.exitCode = await startTraining(() => trainInput(overrides, options), { version });
  });
}

/** A session of a terminal, from its first signal to its exit code. @param said what was asked for, looked at then */
export async function startTraining(
  said: () => TrainInput,
  more: Pick<Shell, "version" | "observers">,
): Promise<number> {
  const requests = new RequestQueue();
  const notices = new Notices();
  const signals = watchSignals(requests, notices.say);
  try {
    const input = said();
    const shell = { requests, signals, notices, ...more };
    return await landedBy(
      (error) => signals.land(error),
      () => train(input, shell),
    );
  } finally {
    signals.release();
  }
}
