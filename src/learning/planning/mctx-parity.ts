import type { DocumentKind } from "../parity/document.ts";
import { compareFigures, type UpdateError } from "../parity/reference.ts";
import { type MctxCase, mctxCases } from "./mctx-case.ts";
import { search, slotsOf } from "./muzero-search.ts";
import { TableModel } from "./table-model.ts";

/** MuZero searches of mctx: counts and actions must be equal, values within float32's rounding. */
export const mctxParity: DocumentKind = {
  form: "json",
  name: "mctx",
  unit: { one: "search", many: "searches" },
  tolerance: { weights: 0, metrics: 2e-5 },
  recognises: ({ cases }) =>
    Array.isArray(cases) && cases.some((one) => "num_simulations" in Object(one)),
  async replay(file) {
    const errors: UpdateError[] = [];
    for (const [i, one] of mctxCases(file).entries()) {
      errors.push({ update: i + 1, ...(await compared(one)) });
    }
    return errors;
  },
};

async function compared(one: MctxCase): Promise<Omit<UpdateError, "update">> {
  const { actions, forbidden, rootState, settings, result } = one;
  const model = new TableModel(one, { roots: [rootState], slots: slotsOf(settings) });
  const roots = { trees: 1, actions, forbidden, ...model.roots() };
  const found = await search(model, roots, settings);
  const weights = Array.from(found.visitCounts, (count) => count / settings.simulations);
  const wanted = Array.from(result.qValues, (value) => value ?? Number.NaN);
  const visited = (_: number, action: number) => result.visitCounts[action]! > 0;
  return {
    counts: compareFigures(
      { ...figuresOf("visit_counts", found.visitCounts), action: found.actions[0] },
      { ...figuresOf("visit_counts", result.visitCounts), action: result.action },
    ),
    metrics: compareFigures(
      {
        root_value: found.values[0],
        ...figuresOf("action_weights", weights),
        ...valuesOf(found.qValues, (value) => !Number.isNaN(value)),
      },
      {
        root_value: result.rootValue,
        ...figuresOf("action_weights", result.actionWeights),
        ...valuesOf(wanted, visited),
      },
    ),
  };
}

/** Q of the actions that count, and which have none: NaN. */
function valuesOf(
  values: ArrayLike<number>,
  counts: (value: number, action: number) => boolean,
): Record<string, number> {
  const none = Array.from(values, (value) => Number(Number.isNaN(value)));
  return { ...figuresOf("qvalues", values, counts), ...figuresOf("qvalues null", none) };
}

function figuresOf(
  name: string,
  values: ArrayLike<number>,
  counts: (value: number, action: number) => boolean = () => true,
): Record<string, number> {
  const entries = Array.from(values, (value, a) => [`${name}[${a}]`, value] as const);
  return Object.fromEntries(entries.filter(([, value], a) => counts(value, a)));
}
