import { CodedError } from "../../protocol/coded-error.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Replies } from "../../protocol/messages.ts";
import { visibleLine, wordsOf } from "../../protocol/visible.ts";

export interface ServeErrorDetail {
  readonly hint: string;
  /** The same request may succeed later. */
  readonly retryable?: boolean;
  /** The session cannot go on. */
  readonly fatal?: boolean;
  readonly cause?: unknown;
}

/** Something a server refuses; the driver receives its code, message and hint. */
export class ServeError extends CodedError {
  override readonly name = "ServeError";
  readonly retryable: boolean;
  readonly fatal: boolean;

  constructor(code: string, message: string, detail: ServeErrorDetail) {
    super(code, message, detail.hint, detail);
    this.retryable = detail.retryable ?? false;
    this.fatal = detail.fatal ?? false;
  }
}

/** Code of a failure that does not explain itself. */
export const unexplained = "simulator-failed";

type Body = Pick<Replies["error"], "code" | "message" | "hint" | "retryable" | "fatal" | "field">;

/**
 * Any failure as the body of an `error` reply. Errors that say what to do (`code` and `hint`) keep their words;
 * others are a failure of the simulator, told in one line, never with a stack.
 */
export function errorBody(error: unknown): Body {
  const { code, message, hint, field, retryable, fatal } = (error ?? {}) as Partial<Body>;
  const line = clip(typeof message === "string" ? message : wordsOf(error));
  if (typeof code === "string" && /^[a-z][a-z0-9-]*$/.test(code) && typeof hint === "string") {
    return {
      code: code.slice(0, 64),
      message: line,
      hint: clip(hint),
      ...(typeof field === "string" ? { field: clip(field) } : {}),
      retryable: retryable === true,
      fatal: fatal === true || (error instanceof ProtocolError && code === "version-mismatch"),
    };
  }
  return {
    code: unexplained,
    message: line,
    hint: "The simulator's own log says more.",
    retryable: false,
    fatal: true,
  };
}

export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : wordsOf(error);
}

/** One line of valid Unicode that fits a header. */
function clip(text: string): string {
  const line = visibleLine(text.slice(0, 4000).replace(/\s*\n\s*/g, " "));
  return line.length <= 1000 ? line : `${Array.from(line).slice(0, 999).join("")}…`;
}
