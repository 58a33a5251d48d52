import { defineConfig } from "vitest/config";

/**
 * Files that need a process of their own: they ask for a certain engine, change the process (its environment, its
 * limits, its exit code), count what it holds, or import a module of test/ with hooks of its own, which would be
 * registered for the first file alone (own-process.ts refuses that).
 */
const own = [
  "test/engine/**/*.test.ts",
  "test/cli/{export,main}.test.ts",
  "test/fuzz/*.test.ts",
  "test/metrics/jsonl.test.ts",
  "test/policies/{flight-example,inspect,wasm,write-tfjs}.test.ts",
  "test/remote/{floods,leaks}.test.ts",
  "test/tui/terminal.test.ts",
];

/** Several processes share the cores: TensorFlow's threads would mostly wait for each other, and busily. */
const oneThread = { TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "-1" };
const env = { ...oneThread, FIRSTSOLO_TESTS_SHARE: "1" };

export default defineConfig({
  test: {
    globalSetup: ["test/temporary-setup.ts", "test/python-setup.ts", "test/program-setup.ts"],
    pool: "forks",
    // Threads started from the sources find them.
    execArgv: ["--import", new URL("test/typescript-threads.mjs", import.meta.url).href],
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Python keeps what it has compiled: nothing is when it is installed.
    env: { TF_CPP_MIN_LOG_LEVEL: "2", PYTHONDONTWRITEBYTECODE: "" },
    projects: [
      { extends: true, test: { name: "alone", include: own } },
      // Files that follow one another in one process: most of what a small one costs is its imports. Run last, so
      // that the processes stay busy to the end.
      {
        extends: true,
        test: {
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: own,
          isolate: false,
          env,
        },
      },
    ],
  },
});
