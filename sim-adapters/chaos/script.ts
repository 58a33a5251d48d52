import { CodedError } from "../../protocol/coded-error.ts";

/**
 * What goes wrong, and when. A script is rules joined by `;`, each `[requests|replies] FAULT [=AMOUNT] WHEN`:
 *
 *     drop 3%; replies delay=0.2 10%; requests duplicate at 5; cut at 40; stall=2 every 100; flip=8 at 7,9
 */

export type Fault =
  | "delay"
  | "drop"
  | "duplicate"
  | "reorder"
  | "truncate"
  | "flip"
  | "cut"
  | "stall"
  | "kill";

/** Which messages a rule is about, counted from 1 in each direction. */
export type When =
  | { readonly kind: "share"; readonly share: number }
  | { readonly kind: "at"; readonly numbers: readonly number[] }
  | { readonly kind: "every"; readonly every: number };

export interface Rule {
  readonly fault: Fault;
  /** Seconds of a delay or a stall; bits of a flip; bytes that a truncated message loses. */
  readonly amount: number;
  readonly direction: "requests" | "replies" | "both";
  readonly when: When;
}

/** A script that can't be read. */
export class ChaosError extends CodedError {
  override readonly name = "ChaosError";

  constructor(message: string) {
    const hint =
      "Rules joined by ';', each [requests|replies] FAULT[=AMOUNT] and 3%, at 5,9 or every 100; faults: delay drop duplicate reorder truncate flip cut stall kill.";
    super("bad-script", message, hint);
  }
}

/** Faults with the amount they have when none is given. */
const amounts: Readonly<Record<Fault, number>> = {
  delay: 0.1,
  drop: 0,
  duplicate: 0,
  reorder: 0,
  truncate: 1,
  flip: 1,
  cut: 0,
  stall: 1,
  kill: 0,
};

/** @throws ChaosError that quotes the rule */
export function parseScript(text: string): readonly Rule[] {
  const rules = text
    .split(/[;\n]/)
    .map((rule) => rule.replace(/#.*/, "").trim())
    .filter((rule) => rule !== "")
    .map(parseRule);
  if (rules.length === 0) throw new ChaosError("the script has no rule");
  return rules;
}

const shape =
  /^(?:(requests|replies)\s+)?([a-z]+)(?:=(\d+(?:\.\d+)?))?\s+(?:(\d+(?:\.\d+)?)%|at\s+([\d,\s]+)|every\s+(\d+))$/;

function parseRule(rule: string): Rule {
  const [found, direction, name = "", amount, percent, numbers, every] = shape.exec(rule) ?? [];
  if (found === undefined) throw new ChaosError(`'${rule}' is not a rule`);
  if (!Object.hasOwn(amounts, name)) throw new ChaosError(`'${rule}': there is no fault ${name}`);
  const fault = name as Fault;
  return {
    fault,
    amount: amount === undefined ? amounts[fault] : Number(amount),
    direction: (direction ?? "both") as Rule["direction"],
    when: whenOf(rule, percent, numbers, every),
  };
}

function whenOf(rule: string, percent?: string, numbers?: string, every?: string): When {
  if (percent !== undefined) {
    const share = Number(percent) / 100;
    if (share > 1) throw new ChaosError(`'${rule}': ${percent}% is more than all`);
    return { kind: "share", share };
  }
  if (numbers !== undefined) {
    const list = numbers.split(",").map((word) => Number(word.trim()));
    if (list.some((number) => number < 1)) throw new ChaosError(`'${rule}': messages count from 1`);
    return { kind: "at", numbers: list };
  }
  if (Number(every) < 1) throw new ChaosError(`'${rule}': every 0th message is none`);
  return { kind: "every", every: Number(every) };
}
