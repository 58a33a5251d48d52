import { defineConfig } from "vitest/config";

/** Rooms whose files may follow one another in one process: most of what a small file costs is its imports. */
const rooms = [
  ...["algorithms", "config", "datasets", "disk", "learning", "metrics", "mujoco", "policies"],
  ...["patient", "protocol", "running", "runs", "slates", "tui"],
];
const shared = rooms.map((room) => `test/${room}/**/*.test.ts`);

/** Files there that need a process of their own, for one of the reasons at the projects below. */
const own = [
  "test/metrics/jsonl.test.ts",
  "test/mujoco/{served,sim-command,threads}.test.ts",
  "test/{patient,slates}/served.test.ts",
  "test/policies/{flight-example,inspect,wasm,write-tfjs}.test.ts",
  "test/tui/terminal.test.ts",
];

/** Several processes share the cores: TensorFlow's threads would mostly wait for each other, and busily. */
const oneThread = { TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "-1" };
const env = { ...oneThread, FIRSTSOLO_TESTS_SHARE: "1" };

export default defineConfig({
  test: {
    globalSetup: ["test/python-setup.ts", "test/transpiled.ts"],
    pool: "forks",
    // Threads started from the sources find them.
    execArgv: ["--import", new URL("test/typescript-threads.mjs", import.meta.url).href],
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Python keeps what it has compiled: nothing is when it is installed.
    env: { TF_CPP_MIN_LOG_LEVEL: "2", PYTHONDONTWRITEBYTECODE: "" },
    projects: [
      // A file that asks for a certain engine, changes the process (its environment, its limits, its exit code), or
      // imports a module of test/ with hooks of its own, which would be registered for the first file alone
      // (own-process.ts refuses that).
      {
        extends: true,
        test: {
          name: "alone",
          include: ["test/*.test.ts", `test/!(${rooms.join("|")})/**/*.test.ts`, ...own],
        },
      },
      // Run last, so that the processes stay busy to the end.
      {
        extends: true,
        test: { name: "shared", include: shared, exclude: own, isolate: false, env },
      },
    ],
  },
});
