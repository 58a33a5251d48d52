/** A run that can't be written or found. */
export class RunError extends Error {
  override readonly name = "RunError";
  /** A kebab-case word for programs, e.g. `disk-full`, `no-checkpoint`. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
