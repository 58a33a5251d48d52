import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import { layOut } from "./lay-out.ts";
import { needsOwnProcess } from "./own-process.ts";

needsOwnProcess(import.meta.url);

const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});

/** The engine alone, in a place of its own until the file's tests have run; gives the folder of its modules. */
export function compiledEngine(): string {
  const rooms = ["protocol", "src/disk", "src/engine"];
  const installer = ["quiet.cc", "native/package.json"].map((name) => `src/engine/install/${name}`);
  const root = layOut(rooms, ["src/cli/firstsolo.mjs", ...installer]);
  made.push(root);
  return join(root, "dist/src/engine");
}
