import { inject } from "vitest";

/** Path of the whole program, made from the sources as they stand (`program-setup.ts`); the tests share it. */
export function compiledProgram(): string {
  return inject("program");
}
