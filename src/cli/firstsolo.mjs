#!/usr/bin/env node
// Plain JavaScript, so that it can say what is missing before anything is compiled.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Node would open its debugger, and with it this process to everybody on the machine.
process.on("SIGUSR1", () => {});

const [major, minor] = process.versions.node.split(".").map(Number);
const main = new URL("../../dist/src/cli/main.js", import.meta.url);

if (major < 20 || (major === 20 && minor < 15)) {
  console.error(
    `firstsolo: Node ${process.versions.node} is too old\n  → Use Node 20.15 or later.`,
  );
  process.exitCode = 2;
} else if (!existsSync(main)) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  console.error(`firstsolo: the compiled code is not there\n  → Run npm install in ${root}`);
  process.exitCode = 2;
} else {
  const { main: run } = await import(main.href).catch((error) => {
    if (error.code !== "EMFILE" && error.code !== "ENFILE") throw error;
    console.error(`firstsolo: ${error.message}\n  → Allow more files: ulimit -n 1024`);
    process.exit(70);
  });
  const exitCode = await run(process.argv.slice(2));
  // Pipes are written in the background on some systems.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  // Sockets and TensorFlow's threads would keep the process alive.
  process.exit(exitCode);
}

function flushed(stream) {
  return new Promise((resolve) => stream.write("", resolve));
}
