import { z } from "zod";
import { maybeWhole, million, oneOf, whole } from "../../config/leaf.ts";
import type { ConfigOf } from "../../config/schema.ts";
import { offlineKeys } from "../offline/keys.ts";
import { worldModelSettings } from "./settings.ts";

const shared = offlineKeys("world_model", worldModelSettings);

/** An iteration is an epoch here: once through as many windows as there are. */
export const worldModelKeys = {
  ...shared,
  max_iterations: whole(
    30,
    { least: 1, most: 10 * million },
    "Iterations of the whole run, epochs",
  ),
  updates_per_iteration: maybeWhole(
    { least: 1, most: million },
    "Updates in one iteration; null: as many as the data have windows, an epoch",
  ),
} as const;

const settings = z.strictObject({
  class_name: oneOf(["world_model"], "world_model", "The algorithm: --algorithm NAME"),
  ...worldModelSettings.shape,
});

export type WorldModelConfig = ConfigOf<
  Omit<typeof worldModelKeys, "algorithm"> & { algorithm: z.ZodPrefault<typeof settings> }
>;
