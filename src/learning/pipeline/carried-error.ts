import { PolicyError } from "../../../policies/policy-error.ts";
import { CodedError } from "../../../protocol/coded-error.ts";
import { wordsOf } from "../../../protocol/visible.ts";
import { LearningError } from "../learning-error.ts";

/** An error as data: what lies between two threads keeps neither its class nor its code. */
export interface CarriedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly hint?: string;
  readonly stack?: string;
  readonly cause?: CarriedError;
}

/** Of a room that isn't known here; it says what it said over there. */
class ForeignError extends CodedError {
  override readonly name: string;

  constructor({ name, message, code = "", hint = "" }: CarriedError, options: ErrorOptions) {
    super(code, message, hint, options);
    this.name = name;
  }
}

type Coded = new (code: string, message: string, hint: string, options: ErrorOptions) => Error;
const known: Readonly<Record<string, Coded>> = { LearningError, PolicyError };

export function toCarried(error: unknown): CarriedError {
  if (!(error instanceof Error)) return { name: "Error", message: wordsOf(error) };
  const { name, message, stack, cause } = error;
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  return {
    name,
    message,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: toCarried(cause) }),
  };
}

/** The same class, where it is a learner's or a policy's; the same name, words, code, hint and stack in any case. */
export function fromCarried(carried: CarriedError): Error {
  const { stack, cause } = carried;
  const error = made(carried, cause === undefined ? {} : { cause: fromCarried(cause) });
  if (stack !== undefined) error.stack = stack;
  return error;
}

function made(carried: CarriedError, options: ErrorOptions): Error {
  const { name, message, code, hint } = carried;
  if (code === undefined || hint === undefined) {
    const own = code === undefined ? { name } : { name, code };
    return Object.assign(new Error(message, options), own);
  }
  const Known = Object.hasOwn(known, name) ? known[name] : undefined;
  return Known ? new Known(code, message, hint, options) : new ForeignError(carried, options);
}
