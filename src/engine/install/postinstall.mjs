// Run by `npm install`. Plain JavaScript, since nothing is compiled yet: compiles the project where
// its sources are, then lets the compiled install step fetch TensorFlow. TensorFlow never fails the
// install; an error in our own sources does.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

function compile() {
  if (!existsSync(join(root, "src", "engine", "install", "install-step.ts"))) return 0;
  const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  // Types are checked by `npm run check`; here they may lack what only developers install.
  const args = [compiler, "-p", join(root, "tsconfig.json"), "--noCheck"];
  return spawnSync(process.execPath, args, { stdio: "inherit", cwd: root }).status ?? 1;
}

const status = compile();
try {
  const step = join(root, "dist", "src", "engine", "install", "install-step.js");
  const { runInstallStep } = await import(pathToFileURL(step).href);
  await runInstallStep();
} catch (error) {
  console.error(`firstsolo: TensorFlow was not installed: ${error?.message ?? error}`);
}
process.exitCode = status;
