/**
 * Threads that a test starts run the sources as they stand: `node --import` of every process of the tests. Its main
 * thread is vitest's affair.
 */
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (!isMainThread) register("./typescript-hooks.mjs", import.meta.url);
