import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { layOut } from "./lay-out.ts";
import { forgetOthers, rooms } from "./transpiled.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `firstsolo.mjs` of a package laid out from the sources as they stand. */
    program: string;
  }
}

const name = "src/cli/firstsolo.mjs";
let root: string | undefined;

/** Once before all tests, so that the files that start processes do not all compile the same. */
export default function setup(project: TestProject): () => void {
  root ??= packageFolder();
  project.provide("program", join(root, name));
  return () => {
    if (root && existsSync(root)) rmSync(root, { recursive: true });
  };
}

function packageFolder(): string {
  forgetOthers();
  const folder = layOut(rooms, [name]);
  mkdirSync(join(folder, "policies"));
  const teachers = join(import.meta.dirname, "../policies/teachers");
  symlinkSync(teachers, join(folder, "policies/teachers"));
  return folder;
}
