import type { RslRlActorState } from "./actor-state.ts";
import type { RslRlVersion } from "./rsl-rl.ts";
import { isDict, isList, type TorchDict, type TorchKey, type TorchValue } from "./torch-value.ts";

interface Networks {
  readonly student: RslRlActorState;
  readonly teacher: RslRlActorState;
}

/**
 * The parameters that the optimiser of a distillation run of rsl_rl holds, in its order, each by a
 * name of ours. Up to 3 it holds the teacher's as well, which it never moves.
 */
export function optimiserOrder(version: RslRlVersion, { student, teacher }: Networks): string[] {
  const named = (role: string, part: string, { layers }: RslRlActorState) =>
    Object.keys(layers)
      .filter((name) => name.startsWith(`${part}.`))
      .map((name) => `${role} ${name}`);
  const [mlp, rnn] = [named("student", "mlp", student), named("student", "rnn", student)];
  const teacherMlp = named("teacher", "mlp", teacher);
  const teacherRnn = named("teacher", "rnn", teacher);
  if (version === "2.3") return ["noise", ...mlp, ...teacherMlp, ...rnn, ...teacherRnn];
  if (version === "3") return ["noise", ...rnn, ...mlp, ...teacherRnn, ...teacherMlp];
  const cnns = named("student", "cnns", student);
  return [...(student.std === undefined ? [] : ["noise"]), ...mlp, ...rnn, ...cnns];
}

/**
 * State of torch.optim with its parameters in another order; what is kept of those that the other
 * order lacks is left out. Anything else than the state of one group is given back as it is.
 */
export function reorderOptimiser(
  value: TorchValue,
  from: readonly string[],
  to: readonly string[],
): TorchValue {
  if (from.length === to.length && from.every((name, i) => name === to[i])) return value;
  const state = isDict(value) ? value.get("state") : undefined;
  const groups = isDict(value) ? value.get("param_groups") : undefined;
  if (!isDict(value) || !isDict(state) || !isList(groups) || groups.length !== 1) return value;
  const [group] = groups;
  if (!isDict(group)) return value;
  const places = new Map(to.map((name, place) => [name, place]));
  const moved = [...state].flatMap(([key, entry]): [TorchKey, TorchValue][] => {
    const place = places.get(from[Number(key)] ?? "");
    return place === undefined ? [] : [[place, entry]];
  });
  moved.sort(([a], [b]) => Number(a) - Number(b));
  return changed(value, {
    state: new Map(moved),
    param_groups: [changed(group, { params: to.map((_, place) => place) })],
  });
}

function changed(dict: TorchDict, values: Readonly<Record<string, TorchValue>>): TorchDict {
  return new Map([...dict, ...Object.entries(values)]);
}
