/** What recorded flights refuse or run into; `code` for programs, `hint` says the next move. */
export class DatasetError extends Error {
  override readonly name = "DatasetError";
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
