import { NORMALISER_EPSILON, type NormaliserState } from "../networks/normaliser.ts";
import type { RslRlActorState } from "./actor-state.ts";
import { floats, normaliserEntries, torchModule } from "./state-dict.ts";
import type { OrderedDict, TorchTensor, TorchValue } from "./torch-value.ts";

interface Networks {
  readonly student: RslRlActorState;
  readonly teacher: RslRlActorState;
}

type Entry = readonly [string, TorchTensor];

/**
 * The one dict of student and teacher that the runners of rsl_rl 2.3 and 3 save, in the order of
 * their modules. Neither knows noise of the teacher's; 2.3 keeps statistics elsewhere and knows no
 * logarithm of the noise.
 */
export function oldStateDict(networks: Networks, version: "2.3" | "3"): OrderedDict {
  const { student, teacher } = networks;
  const mlp = (name: "student" | "teacher") => part(networks[name], "mlp.", `${name}.`);
  const memory = (name: "student" | "teacher") =>
    part(networks[name], "rnn.rnn.", `memory_${name.charAt(0)}.rnn.`);
  const entries: readonly Entry[] =
    version === "2.3"
      ? [
          noise(student, "scalar"),
          ...mlp("student"),
          ...mlp("teacher"),
          ...memory("student"),
          ...memory("teacher"),
        ]
      : [
          noise(student, student.stdType ?? "scalar"),
          ...memory("student"),
          ...mlp("student"),
          ...normaliserEntries(student.normaliser, "student_obs_normalizer", student),
          ...memory("teacher"),
          ...mlp("teacher"),
          ...normaliserEntries(teacher.normaliser, "teacher_obs_normalizer", teacher),
        ];
  const extra = version === "3" ? ["student_obs_normalizer", "teacher_obs_normalizer"] : [];
  return torchModule(entries, extra);
}

/**
 * The dicts beside the model in which 2.3 keeps statistics: of both networks or of none, so that one
 * that has none gets statistics that change nothing.
 */
export function statisticsBeside({ student, teacher }: Networks): readonly [string, TorchValue][] {
  if (student.normaliser === undefined && teacher.normaliser === undefined) return [];
  const dict = (actor: RslRlActorState) =>
    torchModule(normaliserEntries(actor.normaliser ?? neutral(inputWidthOf(actor)), "", actor), []);
  return [
    ["obs_norm_state_dict", dict(student)],
    ["privileged_obs_norm_state_dict", dict(teacher)],
  ];
}

/** Divides by 1, and has seen so much that what is seen next moves nothing. */
function neutral(width: number): NormaliserState {
  return {
    mean: new Float32Array(width),
    variance: new Float32Array(width).fill((1 - NORMALISER_EPSILON) ** 2),
    std: new Float32Array(width).fill(1 - NORMALISER_EPSILON),
    count: 2 ** 52,
  };
}

function inputWidthOf({ layers }: RslRlActorState): number {
  const first = layers["rnn.rnn.weight_ih_l0"] ?? layers["mlp.0.weight"];
  return first?.shape[1] ?? 0;
}

function part(actor: RslRlActorState, from: string, to: string): readonly Entry[] {
  return Object.entries(actor.layers)
    .filter(([name]) => name.startsWith(from))
    .map(([name, { shape, data }]) => [to + name.slice(from.length), floats(shape, data)]);
}

/** A parameter of every student of these versions; one that has none flies without noise. */
function noise({ std, layers }: RslRlActorState, type: "scalar" | "log"): Entry {
  const width = Object.entries(layers)
    .filter(([name]) => /^mlp\.\d+\.bias$/.test(name))
    .at(-1)?.[1].data.length;
  const values = std ?? new Float32Array(width ?? 0);
  return type === "scalar"
    ? ["std", floats([values.length], values)]
    : ["log_std", floats([values.length], values.map(Math.log))];
}
