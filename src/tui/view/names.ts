import type { Headline } from "../../metrics/run-description.ts";

/** A label inside a line: "Return" as "return", "TD error" as it is. */
export function worded(label: string): string {
  return /^\p{Lu}\p{Ll}/u.test(label) ? label[0]!.toLowerCase() + label.slice(1) : label;
}

/**
 * What to call a figure and what it is measured against: the words in which their names differ.
 * `Eval/student_return` against `Eval/teacher_return` are student and teacher.
 */
export function curveNames({ metric, label, against = "" }: Headline): readonly [string, string] {
  const [own, other] = [wordsOf(metric), wordsOf(against)];
  const only = (words: readonly string[], without: readonly string[]) =>
    words.filter((word) => !without.includes(word)).join(" ");
  return [only(own, other) || worded(label), only(other, own) || other.join(" ")];
}

function wordsOf(metric: string): readonly string[] {
  return (metric.split("/").at(-1) ?? "").split("_").filter(Boolean);
}
