import { CodedError } from "../../protocol/coded-error.ts";
import { wordsOf } from "../../protocol/visible.ts";

export type EngineErrorCode =
  | "unknown-device"
  | "engine-already-started"
  | "native-unavailable"
  | "cuda-unavailable"
  | "webgpu-unavailable"
  | "wasm-unavailable"
  | "bad-threads"
  | "bad-archive"
  | "cache-unusable"
  | "lock-timeout"
  | "tool-missing"
  | "download-failed"
  | "compile-failed"
  | "load-failed"
  | "bad-tensorflow-path"
  | "unsupported-system"
  | "package-missing"
  | "disk-full"
  | "not-traceable"
  | "frozen-number"
  | "program-misused"
  | "program-failed";

/** What went wrong while getting or starting an engine, and the next move. */
export class EngineError extends CodedError<EngineErrorCode> {
  override readonly name = "EngineError";
}

/** The message of anything thrown, on one line. */
export function reasonOf(error: unknown): string {
  return wordsOf(error instanceof Error ? error.message.split("\n")[0] : error);
}
