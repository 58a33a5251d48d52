/** Which TensorFlow computes, and where. */
export type Device = "auto" | "cuda" | "cpu" | "webgpu" | "wasm";

export interface Engine {
  readonly backend: "tensorflow" | "webgpu" | "wasm";
  readonly device: Exclude<Device, "auto">;
  /** Version of the library that computes, e.g. `2.21.0`. */
  readonly version: string;
  /** Where the native library came from; absent for other backends. */
  readonly source?: "environment" | "wheel" | "prebuilt";
  readonly threads: number;
  /** Names of the accelerators it sees. */
  readonly accelerators: readonly string[];
  /** One line for people. */
  readonly description: string;
}

export interface EngineOptions {
  /** Threads of one operation; set before the library loads. Default: left to TensorFlow. */
  readonly threads?: number;
  /** Which of several NVIDIA cards, counted from 0. Default: the first the driver shows. */
  readonly gpu?: number;
  /** On a card: fuses the operations of compiled calls (XLA); other bits, a longer first call. Default: not. */
  readonly xla?: boolean;
  /** Receives warnings, e.g. that the slow fallback is used. */
  readonly warn?: (line: string) => void;
}
