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
  const counts = figuresOf("visit_counts", found.visitCounts);
  const visited = result.visitCounts.map((count) => count > 0);
  const sum = settings.simulations;
  return {
    counts: compareFigures(
      { ...counts, action: found.actions[0] },
      { ...figuresOf("visit_counts", result.visitCounts), action: result.action },
    ),
    metrics: compareFigures(
      {
        root_value: found.values[0],
        ...figuresOf(
          "action_weights",
          Array.from(found.visitCounts, (count) => count / sum),
        ),
        ...figuresOf("qvalues", found.qValues, (value) => !Number.isNaN(value)),
        ...figuresOf(
          "qvalues null",
          found.qValues.map((value) => Number(Number.isNaN(value))),
        ),
      },
      {
        root_value: result.rootValue,
        ...figuresOf("action_weights", result.actionWeights),
        ...figuresOf(
          "qvalues",
          result.qValues.map((value) => value ?? Number.NaN),
          (_, a) => visited[a]!,
        ),
        ...figuresOf(
          "qvalues null",
          result.qValues.map((value) => Number(value === null)),
        ),
      },
    ),
  };
}

function figuresOf(
  name: string,
  values: ArrayLike<number>,
  counts: (value: number, action: number) => boolean = () => true,
): Record<string, number> {
  const entries = Array.from(values, (value, a) => [`${name}[${a}]`, value] as const);
  return Object.fromEntries(entries.filter(([, value], a) => counts(value, a)));
}
