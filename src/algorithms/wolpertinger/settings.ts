import { z } from "zod";
import { whole } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { td3Settings } from "../offline/keys.ts";

/** Wolpertinger's settings. */
export const wolpertingerSettings = z.strictObject({
  neighbours: whole(10, { least: 1, most: 1024 }, "Recorded actions that the critic chooses among"),
  library: whole(
    1024,
    { least: 1, most: 65_536 },
    "Recorded actions, drawn at random, among which those are looked for",
  ),
  ...td3Settings,
});

export type WolpertingerSettings = Frozen<z.output<typeof wolpertingerSettings>>;
