import type { Algorithm } from "../algorithms/algorithm.ts";
import type { Config } from "../config/schema.ts";
import type { RequestQueue } from "../running/requests.ts";
import type { Progress } from "../running/run-state.ts";
import { ControlMailbox } from "../runs/control.ts";
import { createRun } from "../runs/create-run.ts";
import { setAside, setAsideLater, sweepDrafts } from "../runs/set-aside.ts";
import type { ResumePoint } from "./resume.ts";

export interface Claim {
  readonly config: Config;
  readonly algorithm: Algorithm;
  readonly id: string;
  readonly agentYaml: string;
  readonly requests: RequestQueue;
  readonly warn: (line: string) => void;
}

/** The run's folder, known as flown by us before anything in it is changed. */
export async function claimRun(opened: ResumePoint | undefined, start: Progress, claim: Claim) {
  const { config, algorithm, id, agentYaml, requests, warn } = claim;
  const manifest = { task: config.task, ...(algorithm.manifest ?? { library: "firstsolo" }) };
  const run = opened?.run ?? (await createRun(config, { id, agentYaml, manifest }));
  const mailbox = ControlMailbox.open(run.path, requests, { onFailure: warn });
  run.heldBy({ lock: mailbox.lock, say: warn });
  if (opened) await goOn(opened, start, claim);
  return { run, mailbox };
}

/** Makes the folder of a resumed run what it was at that checkpoint. */
async function goOn(opened: ResumePoint, start: Progress, claim: Claim): Promise<void> {
  const { run, saved, damaged } = opened;
  const { config, agentYaml, warn } = claim;
  await run.saveParams("agent", agentYaml);
  await sweepDrafts(run);
  await setAside(run, damaged, "damaged");
  const later = await setAsideLater(run, start.iteration, saved.path);
  if (later.length > 0) {
    warn(`going on from an older checkpoint; put into superseded/: ${later.join(", ")}`);
  }
  if (start.iteration < config.max_iterations) return;
  warn(`all ${config.max_iterations} iterations are flown; --max_iterations N flies on`);
}
