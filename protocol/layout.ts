import type { EnvSpec, TensorSpec } from "./spec.ts";

/** Sent with frames and results where the specification has the capability `teacher_actions`. */
export const teacherTensor = "teacher/actions";

interface GroupLayout {
  readonly group: string;
  readonly spec: TensorSpec;
  /** Names of its tensors. */
  readonly obs: string;
  readonly final: string;
  /** `[numEnvs, ...shape]`. */
  readonly shape: readonly number[];
}

/** Names and shapes of what travels under a specification. */
export interface Layout {
  readonly groups: readonly GroupLayout[];
  readonly rows: readonly [numEnvs: number];
  readonly actions: readonly number[];
  readonly taught: boolean;
  /** Tensors that a `frame` may have, and a `result`. */
  readonly inFrame: readonly string[];
  readonly inResult: readonly string[];
}

const known = new WeakMap<EnvSpec, Layout>();

/** Worked out once for each specification: it is asked for at every step. */
export function layoutOf(spec: EnvSpec): Layout {
  const found = known.get(spec);
  if (found !== undefined) return found;
  const layout = makeLayout(spec);
  known.set(spec, layout);
  return layout;
}

function makeLayout({ numEnvs, observations, action, capabilities }: EnvSpec): Layout {
  const groups = Object.entries(observations).map(([group, spec]) => ({
    group,
    spec,
    obs: keyOf(`obs/${group}`),
    final: keyOf(`final/${group}`),
    shape: [numEnvs, ...spec.shape],
  }));
  const taught = capabilities.includes("teacher_actions");
  const teacher = taught ? [teacherTensor] : [];
  const outcome = ["reward", "terminated", "truncated", "final/rows"];
  return {
    groups,
    rows: [numEnvs],
    actions: [numEnvs, ...action.shape],
    taught,
    inFrame: [...groups.map(({ obs }) => obs), "started", ...teacher],
    inResult: [...groups.flatMap(({ obs, final }) => [obs, final]), ...outcome, ...teacher],
  };
}

/** The same text as V8 keeps it for keys: one that was put together is looked up anew at every access. */
function keyOf(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text;
}
