import type { Resolved } from "../config/resolve.ts";
import type { Engine } from "../engine/engine.ts";
import type { OwnSinkMaker } from "../metrics/own-sink.ts";
import { newRunId } from "../runs/create-run.ts";
import { exitCodes } from "../training/exit-codes.ts";
import type { Ui } from "../tui/choose-ui.ts";
import { dryRun } from "./dry-run.ts";
import { checkRecord } from "./record-flights.ts";
import type { ResumePoint } from "./resume.ts";
import type { Shell } from "./shell.ts";
import { simulatorFor } from "./simulator-for.ts";
import type { threadsOf } from "./threads.ts";
import type { TrainInput } from "./train-input.ts";

/** What a session knows before anything is flown or written. */
export interface Checked {
  readonly resolved: Resolved;
  readonly opened: ResumePoint | undefined;
  /** What the terminal shows. */
  readonly ui: Ui;
  readonly ownSinks: readonly OwnSinkMaker[];
  /** TensorFlow's. */
  readonly threads: ReturnType<typeof threadsOf>;
  readonly engine: Engine;
  /** Nobody asked for a number of environments. */
  readonly anyNumber: boolean;
}

/** A simulator that others run is greeted, ours is not started. */
export async function rehearse(checked: Checked, input: TrainInput, shell: Shell): Promise<number> {
  const { resolved, anyNumber } = checked;
  const { algorithm, config } = resolved;
  checkRecord(input, algorithm, algorithm.flies(config));
  const { sim } = config;
  const untaped = { ...resolved, config: { ...config, sim: { ...sim, record_wire: null } } };
  const about = { run: newRunId(), anyNumber };
  const simulator = sim.endpoint === null ? undefined : await simulatorFor(untaped, about, shell);
  try {
    const { env, description } = simulator ?? {};
    const say = shell.notices.say;
    process.stdout.write(`${await dryRun({ ...checked, env, simulator: description, say })}\n`);
    return exitCodes.ok;
  } finally {
    await simulator?.close();
  }
}
