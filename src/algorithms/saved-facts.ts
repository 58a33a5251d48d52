import { z } from "zod";
import { parseJson } from "../../protocol/parse-json.ts";
import { rules } from "../learning/rules.ts";
import { RunError } from "../runs/run-error.ts";

/** What is checked of the JSON text in a checkpoint: its sum says that it is as written, not that it makes sense. */

export const counter = z.number().int().nonnegative();
const word = z.number().int().min(0).max(0xffffffff);

/** Of xoshiro128**, which stands still at zeros. */
export const randomState = z
  .tuple([word, word, word, word])
  .refine((words) => words.some((each) => each !== 0), "all zeros");

export const progress = z.object({
  iteration: counter,
  environmentSteps: counter,
  seconds: z.number().nonnegative(),
  best: z.number().nullable(),
});

export const ruleName = z.enum(Object.keys(rules) as [keyof typeof rules]);
export const reads = z.array(z.string().min(1)).min(1);

const range = z
  .object({ kind: z.literal("tanh"), center: z.array(z.number()), half: z.array(z.number()) })
  .refine(({ center, half }) => center.length === half.length && half.length > 0, "is no range");

const sizes = z.array(counter.min(1)).min(1);

/** Of a network with pictures. */
export const vision = z.object({
  groups: z.array(z.object({ name: z.string().min(1), shape: sizes })).min(1),
  channels: sizes,
  kernel: counter.min(1),
  stride: counter.min(1),
});

const numbers = z.array(z.number());
const clipped = z
  .object({
    kind: z.literal("clipped"),
    ...{ center: numbers, half: numbers, low: numbers, high: numbers },
  })
  .refine(
    ({ center, half, low, high }) =>
      center.length > 0 && [half, low, high].every(({ length }) => length === center.length),
    "is no range",
  );

export const head = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("mean-and-noise") }),
  z.object({ kind: z.literal("beta"), low: z.number(), high: z.number() }),
  range,
  clipped,
]);

/**
 * The facts of a checkpoint of this format, all there and of the right kind; what a later version of the same
 * format adds is left alone.
 *
 * @throws RunError `bad-checkpoint` that names the file and the fact, `checkpoint-format`
 */
export function checkedFacts<T extends z.ZodType>(
  schema: T,
  text: string,
  { where, format }: { readonly where: string; readonly format: number },
): z.output<T> {
  const facts = parse(text, where);
  const found = (facts as { format?: unknown } | null)?.format;
  if (typeof found === "number" && found !== format) {
    throw new RunError(
      "checkpoint-format",
      `${where} is of format ${found}; this version reads format ${format}`,
      "Use the version of firstsolo that wrote it.",
    );
  }
  const checked = schema.safeParse(facts);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw damaged(
    where,
    `its facts are not whole: ${issue!.path.join(".") || "all"}: ${issue!.message}`,
  );
}

/** What the file says of its iteration, and its facts say, must be one. @throws RunError `bad-checkpoint` */
export function checkIteration(
  { iteration }: { readonly iteration: number },
  fileIteration: number,
  where: string,
): void {
  if (fileIteration === Math.max(0, iteration - 1)) return;
  throw damaged(where, `it is of iteration ${fileIteration}, and its facts of ${iteration - 1}`);
}

export function damaged(where: string, what: string, cause?: unknown): RunError {
  const hint = "The file is damaged: resume from another checkpoint of the run.";
  return new RunError(
    "bad-checkpoint",
    `${where}: ${what}`,
    hint,
    cause === undefined ? {} : { cause },
  );
}

function parse(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw damaged(where, 'infos["firstsolo"]["facts"] is not JSON', cause);
  }
}
