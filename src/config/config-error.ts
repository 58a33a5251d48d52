/** A configuration that can't be flown: an unknown key, a wrong type, values that contradict each other. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** A kebab-case word for programs, e.g. `unknown-key`. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
