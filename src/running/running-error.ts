/** What the loop refuses before it starts: settings that don't fit the simulator or the policies. */
export class FlightError extends Error {
  override readonly name = "FlightError";
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
