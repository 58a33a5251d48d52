/**
 * What goes wrong and is expected to: the message says what was got, what was expected and where; `hint`
 * the next move. An `error` reply carries the same words (README.md §7), so the base lies here, and a failure
 * reads alike on both sides of the wire. Each room derives one class of its own.
 */
export abstract class CodedError<Code extends string = string> extends Error {
  abstract override readonly name: string;
  /** A kebab-case word for programs, e.g. `unknown-key`. */
  readonly code: Code;
  /** What to do next. */
  readonly hint: string;

  constructor(code: Code, message: string, hint: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = hint;
  }
}
