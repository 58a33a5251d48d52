import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createHover } from "../../policies/pilots/hover.ts";
import { pictureGroups } from "../../protocol/env-spec.ts";
import type { Observations } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { ConfigError } from "../config/config-error.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { encodePng, type GreyPicture } from "../disk/png.ts";

/** Environments that are shown, control steps that are flown, and from one picture to the next. */
const [shown, flown, every] = [4, 100, 10];
/** A side of a pixel on the page, and the gap between two channels. */
const [zoom, gap] = [4, 4];

/**
 * Flies two seconds by the hover controller and writes what the first environments see, one PNG for a step and
 * group: a row for each environment, its channels side by side. Gives the files' paths.
 *
 * @throws ConfigError where the task has no pictures, or the folder can't be written
 */
export async function savePictures(env: VectorEnv, folder: string): Promise<readonly string[]> {
  const groups = pictureGroups(env.spec);
  if (groups.length === 0) {
    const message = `The task '${env.spec.task}' has no pictures to save`;
    throw new ConfigError("no-pictures", message, "Fly --task quadcopter-camera.");
  }
  await writing(folder, async () => makeFolder(folder));
  const hover = createHover("teacher");
  const paths: string[] = [];
  let frame = await env.reset(1);
  for (let step = 0; ; step++) {
    if (step % every === 0) {
      for (const group of groups) {
        const path = join(folder, `${group}-${String(step).padStart(3, "0")}.png`);
        const png = encodePng(pageOf(frame.observations, group, env.spec));
        await writing(folder, () => writeFile(path, png));
        paths.push(path);
      }
    }
    if (step === flown) return paths;
    frame = (await env.step((await hover.act(frame, [])).actions)).frame;
  }
}

/** A wrong folder is a mistake of whoever names it; a full disk is not, and is said elsewhere. */
async function writing(folder: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT" || code === "EMFILE") throw cause;
    const hint = "Name a folder that can be written with --save_pictures.";
    throw new ConfigError("no-place", `${folder} can't be written: ${message}`, hint, { cause });
  }
}

function pageOf(observations: Observations, group: string, spec: EnvSpec): GreyPicture {
  const [height = 0, wide = 0, channels = 0] = spec.observations[group]!.shape;
  const rows = Math.min(shown, spec.numEnvs);
  const [down, across] = [height * zoom + gap, wide * zoom + gap];
  const page = { height: rows * down - gap, width: channels * across - gap };
  const values = new Uint8Array(page.height * page.width).fill(64);
  const bytes = observations[group]!;
  for (let at = 0; at < rows * height * wide * channels; at++) {
    const [channel, pixel] = [at % channels, Math.floor(at / channels)];
    const [column, line] = [pixel % wide, Math.floor(pixel / wide)];
    const top = Math.floor(line / height) * down + (line % height) * zoom;
    for (let y = top; y < top + zoom; y++) {
      const from = y * page.width + channel * across + column * zoom;
      values.fill(bytes[at]!, from, from + zoom);
    }
  }
  return { ...page, values };
}
