/** The largest of the errors that were noted, and where it was. A value that isn't there is infinitely wrong. */
export class WorstError {
  #error = 0;
  #at = "";
  readonly #scale: (expected: number) => number;

  /** @param scale what a difference is measured by, given the expected value */
  constructor(scale: (expected: number) => number) {
    this.#scale = scale;
  }

  note(at: string, got: number | null | undefined, expected: number | null): void {
    const error = errorOf(got, expected, this.#scale);
    if (this.#at !== "" && error <= this.#error) return;
    this.#error = error;
    this.#at = at;
  }

  get worst(): { readonly error: number; readonly at: string } {
    return { error: this.#error, at: this.#at };
  }
}

function errorOf(
  got: number | null | undefined,
  expected: number | null,
  scale: (expected: number) => number,
): number {
  if (got === null && expected === null) return 0;
  if (typeof got !== "number" || expected === null) return Infinity;
  const error = Math.abs(got - expected) / scale(expected);
  return Number.isNaN(error) ? Infinity : error;
}
