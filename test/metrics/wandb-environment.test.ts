import { homedir } from "node:os";
import { expect, it } from "vitest";
import { readWandbEnvironment } from "../../src/metrics/wandb/environment.ts";

function read(env: Record<string, string>) {
  const said: string[] = [];
  return { ...readWandbEnvironment(env, (line) => said.push(line)), said };
}

it("takes every variable that wandb's users set", () => {
  const env = {
    WANDB_MODE: "online",
    WANDB_PROJECT: "gliders",
    WANDB_ENTITY: "a-team",
    WANDB_NAME: "first try",
    WANDB_RUN_GROUP: "seeds",
    WANDB_JOB_TYPE: "distil",
    WANDB_NOTES: "with wind",
    WANDB_TAGS: "wind, blind ,,gru",
    WANDB_DIR: "/scratch/me",
  };
  expect(read(env)).toEqual({
    mode: "online",
    project: "gliders",
    entity: "a-team",
    name: "first try",
    group: "seeds",
    jobType: "distil",
    notes: "with wind",
    tags: ["wind", "blind", "gru"],
    directory: "/scratch/me",
    said: [],
  });
});

it("takes ~ in WANDB_DIR for the home, as W&B does", () => {
  expect(read({ WANDB_DIR: "~/runs" }).directory).toBe(`${homedir()}/runs`);
  expect(read({ WANDB_DIR: "a~/runs" }).directory).toBe("a~/runs");
});

it("takes an empty variable for one that isn't set", () => {
  expect(read({ WANDB_PROJECT: "", WANDB_TAGS: " ", WANDB_MODE: "" })).toEqual({ said: [] });
});

it.each([
  ["dryrun", "offline"],
  ["run", "online"],
  ["Disabled", "disabled"],
])("reads WANDB_MODE=%s as %s", (word, mode) => {
  expect(read({ WANDB_MODE: word }).mode).toBe(mode);
});

it("says that a mode means nothing instead of guessing", () => {
  const { mode, said } = read({ WANDB_MODE: "onlin" });
  expect(mode).toBeUndefined();
  expect(said).toEqual([
    'WANDB_MODE is "onlin"; known are offline, dryrun, online, run, disabled: ignored',
  ]);
});

it("knows rsl_rl's WANDB_USERNAME, after W&B's own name", () => {
  expect(read({ WANDB_USERNAME: "me" }).entity).toBe("me");
  expect(read({ WANDB_USERNAME: "me", WANDB_ENTITY: "us" }).entity).toBe("us");
});
