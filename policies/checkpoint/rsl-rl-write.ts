import { CheckpointError } from "../policy-error.ts";
import type { Head } from "./actor.ts";
import type { RslRlActorState } from "./actor-state.ts";
import { meanLayers } from "./mean-layers.ts";
import { oldStateDict, statisticsBeside } from "./old-state-dict.ts";
import { optimiserOrder, reorderOptimiser } from "./optimiser-order.ts";
import type { RslRlVersion } from "./rsl-rl.ts";
import { stateDict } from "./state-dict.ts";
import { writeTorchFile } from "./torch-file.ts";
import type { TorchValue } from "./torch-value.ts";

/** Layouts that are written, by the first number of rsl_rl's version; 2 is that of 2.3. */
export const checkpointVersions: readonly number[] = [2, 3, 4, 5];

export interface DistillationState {
  readonly student: RslRlActorState;
  /** Without layers where the teacher was no network. */
  readonly teacher: RslRlActorState;
  /** State of torch.optim, its parameters in the order of rsl_rl 5. */
  readonly optimiser: TorchValue;
  readonly iteration: number;
  readonly infos: TorchValue;
}

/**
 * Writes what the distillation runner of rsl_rl 2.3, 3, 4 or 5 saves, so that that runner can go on
 * from it; numbers of our own go into `infos`. Layouts below 5 keep the mean of a teacher whose
 * network puts out its noise as well, not the noise.
 *
 * @param version one of `checkpointVersions`
 * @throws CheckpointError `unsupported-version`, `unsupported-value`
 */
export function writeRslRlDistillation(checkpoint: DistillationState, version = 5): Uint8Array {
  const layout = layoutOf(version);
  const student = checkpoint.student;
  const teacher = layout === "5" ? checkpoint.teacher : meansOnly(checkpoint.teacher);
  const networks = { student, teacher };
  if (layout !== "5" && student.doubled) throw unwritable(version, "a student that puts out noise");
  const optimiser = reorderOptimiser(
    checkpoint.optimiser,
    optimiserOrder("5", checkpoint),
    optimiserOrder(layout, networks),
  );
  const models: readonly [string, TorchValue][] =
    layout === "2.3" || layout === "3"
      ? [["model_state_dict", oldStateDict(networks, layout)]]
      : [
          ["student_state_dict", stateDict(student, layout)],
          ["teacher_state_dict", stateDict(teacher, layout)],
        ];
  return writeTorchFile(
    new Map<string, TorchValue>([
      ...models,
      ["optimizer_state_dict", optimiser],
      ["iter", checkpoint.iteration],
      ["infos", checkpoint.infos],
      ...(layout === "2.3" ? statisticsBeside(networks) : []),
    ]),
  );
}

/** A network as far as its layout goes. */
interface Shaped {
  readonly layers: Readonly<Record<string, { readonly shape: readonly number[] }>>;
}

/**
 * What can't be said in a layout, to be asked before a long run: the mean of a Beta distribution is
 * known from 5 on, and rsl_rl 2 and 3 can't build a recurrent teacher beside another kind of
 * student.
 *
 * @throws CheckpointError `unsupported-version`
 */
export function checkWritable(
  version: number,
  student: Shaped,
  teacher: Shaped & { readonly doubled?: boolean | undefined; readonly head?: Head | undefined },
): void {
  layoutOf(version);
  const seeing = [student, teacher].some(({ layers }) =>
    Object.keys(layers).some((name) => name.startsWith("cnns.")),
  );
  if (version < 5 && seeing) throw unwritable(version, "a network with pictures");
  if (version < 5 && teacher.doubled && teacher.head?.kind === "beta") {
    throw unwritable(version, "a teacher with a Beta distribution");
  }
  if (version < 5 && Object.keys(teacher.layers).some((name) => name.startsWith("decoder."))) {
    throw unwritable(version, "a teacher that acts through a decoder");
  }
  if (version > 3 || rnnShape(teacher.layers) === "") return;
  if (rnnShape(teacher.layers) !== rnnShape(student.layers)) {
    throw unwritable(version, "a recurrent teacher beside a student of another kind");
  }
}

function layoutOf(version: number): RslRlVersion {
  if (version === 2) return "2.3";
  if (version === 3 || version === 4 || version === 5) return `${version}`;
  throw new CheckpointError(
    "unsupported-version",
    `layout of rsl_rl ${version}, expected one of ${checkpointVersions.join(", ")}`,
    "Name the first number of the version of rsl_rl that is to read it.",
  );
}

function unwritable(version: number, what: string): CheckpointError {
  return new CheckpointError(
    "unsupported-version",
    `rsl_rl ${version} has no place for ${what}`,
    "Use --checkpoint_version 5.",
  );
}

/** A network that puts out its noise as well, without that; any other as it is. */
function meansOnly(actor: RslRlActorState): RslRlActorState {
  if (actor.doubled !== true) return actor;
  return { layers: meanLayers(actor.layers), normaliser: actor.normaliser };
}

/** Equal for recurrent parts that one line of an rsl_rl configuration describes; "" without one. */
function rnnShape(layers: Shaped["layers"]): string {
  const hidden = Object.entries(layers).filter(([name]) => name.includes("weight_hh"));
  return hidden.map(([, { shape }]) => shape.join("x")).join(" ");
}
