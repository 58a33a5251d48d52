/** A sink that the configuration asks for and that can't be had. */
export class SinkError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SinkError";
    this.code = code;
    this.hint = hint;
  }
}
