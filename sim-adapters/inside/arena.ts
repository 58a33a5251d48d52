/**
 * Where a simulator's arrays lie: in memory of its own, or one behind the other in memory that several threads share. Who asks
 * for the same arrays in the same order gets the same places.
 */
export class Arena {
  readonly #buffer: SharedArrayBuffer | undefined;
  #used = 0;

  constructor(buffer?: SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  /** Bytes asked for so far. */
  get used(): number {
    return this.#used;
  }

  float64(length: number): Float64Array {
    const at = this.#take(8 * length);
    return this.#buffer ? new Float64Array(this.#buffer, at, length) : new Float64Array(length);
  }

  float32(length: number): Float32Array {
    const at = this.#take(4 * length);
    return this.#buffer ? new Float32Array(this.#buffer, at, length) : new Float32Array(length);
  }

  int32(length: number): Int32Array {
    const at = this.#take(4 * length);
    return this.#buffer ? new Int32Array(this.#buffer, at, length) : new Int32Array(length);
  }

  uint32(length: number): Uint32Array {
    const at = this.#take(4 * length);
    return this.#buffer ? new Uint32Array(this.#buffer, at, length) : new Uint32Array(length);
  }

  uint8(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#buffer ? new Uint8Array(this.#buffer, at, length) : new Uint8Array(length);
  }

  /** A cache line of its own for each, so that threads don't wait for each other's writes. */
  #take(bytes: number): number {
    const at = this.#used;
    this.#used += Math.ceil(bytes / 64) * 64;
    return at;
  }
}
