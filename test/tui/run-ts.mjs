// node --import ./test/tui/run-ts.mjs FILE.ts: runs our sources in a process of their own, without a build.
import { register } from "node:module";

register("./ts-loader.mjs", import.meta.url);
