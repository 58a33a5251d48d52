import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openWandb, type WandbOptions } from "../../src/metrics/wandb/wandb.ts";
import { wandbFolderOf } from "../../src/tui/terminal/wandb-folder.ts";

let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "firstsolo-wandb-dir-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function options(more: Partial<WandbOptions> = {}) {
  const runFolder = join(root, "logs/run");
  mkdirSync(runFolder, { recursive: true });
  writeFileSync(join(runFolder, "model_0.pt"), "weights");
  const said: string[] = [];
  const onFailure = (line: string) => said.push(line);
  return {
    runFolder,
    project: "p",
    name: "n",
    config: {},
    systemPeriod: 0,
    onFailure,
    said,
    ...more,
  };
}

it("lies where WANDB_DIR says, and the run folder leads there", async () => {
  const { said, ...rest } = options({ directory: join(root, "scratch") });
  const wandb = openWandb(rest);
  wandb.write(0, { loss: 1 });
  wandb.file(join(rest.runFolder, "model_0.pt"));
  await wandb.close();
  const [name] = readdirSync(join(root, "scratch/wandb")).filter((file) => file !== "latest-run");
  expect(wandb.folder).toBe(join(root, "scratch/wandb", name!));
  expect(readFileSync(join(wandb.folder!, "files/model_0.pt"), "utf8")).toBe("weights");
  expect(wandbFolderOf(rest.runFolder)).toBe(wandb.folder);
  expect(realpathSync(join(root, "scratch/wandb/latest-run"))).toBe(wandb.folder);
  expect(said).toEqual([]);
});

it("is gone on with there, also where WANDB_DIR is no longer set", async () => {
  const { said, ...rest } = options({ directory: join(root, "scratch") });
  const first = openWandb(rest);
  first.write(0, { loss: 1 });
  await first.close();
  const { directory: _, ...without } = rest;
  const again = openWandb({ ...without, resumeAt: 1 });
  again.file(join(rest.runFolder, "model_0.pt"));
  again.write(1, { loss: 2 });
  await again.close();
  expect(again.folder).toBe(first.folder);
  expect(readFileSync(join(again.folder!, "files/model_0.pt"), "utf8")).toBe("weights");
  const summary = JSON.parse(readFileSync(join(again.folder!, "files/wandb-summary.json"), "utf8"));
  expect(summary).toMatchObject({ loss: 2, _step: 1 });
  expect(said).toEqual([]);
});

it("lies once where WANDB_DIR is the run folder itself", () => {
  const { said, ...rest } = options();
  const wandb = openWandb({ ...rest, directory: rest.runFolder });
  const name = wandb.folder!.split("/").at(-1)!;
  expect(readdirSync(join(rest.runFolder, "wandb")).sort()).toEqual(["latest-run", name]);
  expect(said).toEqual([]);
});

it("stays in the run folder where WANDB_DIR can't be written, and says so", () => {
  writeFileSync(join(root, "file"), "");
  const { said, ...rest } = options({ directory: join(root, "file") });
  const wandb = openWandb(rest);
  expect(wandb.folder).toContain(join(rest.runFolder, "wandb/offline-run-"));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/WANDB_DIR can't be used: .*ENOTDIR.*lies in/);
});
