import { z } from "zod";
import { notNegative } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { td3Settings } from "../offline/keys.ts";

/** TD3+BC's settings, by CORL's names where it has one and with its defaults. */
export const td3BcSettings = z.strictObject({
  alpha: notNegative(2.5, "Weight of the value against imitation: larger is weaker imitation"),
  ...td3Settings,
});

export type Td3BcSettings = Frozen<z.output<typeof td3BcSettings>>;
