import { availableParallelism } from "node:os";
import type { Algorithm, SavedRun } from "../../algorithms/algorithm.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Config } from "../../config/schema.ts";
import type { Engine } from "../../engine/engine.ts";
import { actingPrefix } from "../../learning/pipeline/pipelined-learner.ts";

/** Where a run takes place, as far as it counts here. */
export interface Place {
  readonly algorithm: Algorithm;
  readonly engine: Pick<Engine, "backend" | "device">;
  readonly saved: SavedRun | undefined;
  /** Default: those of this machine. */
  readonly cores?: number;
}

/**
 * Whether a thread of its own learns: `on` does, `auto` where two cores or more fly fresh rollouts and learn from
 * them on the processor. A run that goes on does as it began, wherever that is.
 *
 * @throws ConfigError `no-effect` where it is asked for and can't be
 */
export function learnsBeside(
  { pipeline }: Pick<Config, "pipeline">,
  { algorithm, engine, saved, cores = availableParallelism() }: Place,
): boolean {
  const { name, collects } = algorithm;
  const can = algorithm.learner !== undefined && collects;
  if (pipeline === "off") return false;
  if (pipeline === "on") {
    if (can) return true;
    throw new ConfigError(
      "no-effect",
      `--pipeline on: ${name} ${collects ? "learns in the thread that flies" : "flies nothing while it learns"}`,
      "Drop it, or set it to auto: it is for algorithms that can learn one rollout while they fly the next.",
    );
  }
  // Of a version that had no pipeline, or of a run without.
  if (saved) return Object.keys(saved.state.learner.arrays).some(isActing);
  return can && cores > 1 && engine.backend === "tensorflow" && engine.device === "cpu";
}

function isActing(name: string): boolean {
  return name.startsWith(actingPrefix);
}
