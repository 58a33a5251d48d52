/** The screen can't be shown. Codes: `no-terminal`, `unknown-ui`. */
export class ScreenError extends Error {
  override readonly name = "ScreenError";
  readonly code: string;
  /** What to do next. */
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
