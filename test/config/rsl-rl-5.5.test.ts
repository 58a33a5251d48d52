import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";

function resolved(yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-yaml-"));
  const file = join(folder, "agent.yaml");
  writeFileSync(file, `class_name: DistillationRunner\n${yaml}`);
  try {
    return resolveConfig({ file });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const effects = (yaml: string) => resolved(yaml).notices.join("\n");

describe("an agent.yaml of rsl_rl 5.5 or mjlab", () => {
  it.each([
    ["algorithm: {use_mixed_precision: true}", "algorithm.use_mixed_precision"],
    ["algorithm: {grad_reduce_bucket_mb: 25}", "algorithm.grad_reduce_bucket_mb"],
    ["student: {distribution_cfg: {std_range: [0.1, 2.0]}}", "student.distribution_cfg.std_range"],
    ["upload_model: true", "upload_model"],
    ["wandb_tags: !!python/tuple [a, b]", "wandb_tags"],
    ["student: {cnn_cfg: {output_channels: [8]}}", "student.cnn_cfg"],
  ])("has %s named as without effect", (yaml, key) => {
    expect(effects(yaml)).toMatch(new RegExp(`No effect here: .*${key.replaceAll(".", "\\.")}`));
  });

  it.each([
    "algorithm: {use_mixed_precision: false}",
    "student: {distribution_cfg: {learn_std: true, std_type: scalar}}",
    "student: {cnn_cfg: null}",
    "teacher: {cnn_cfg: null, hidden_dims: [3]}",
    "wandb_tags: []",
    "upload_model: false",
  ])("has %s taken without a word: it asks for nothing that is not done", (yaml) => {
    expect(effects(yaml)).not.toContain("upload_model");
    expect(effects(yaml)).not.toMatch(/use_mixed|learn_std|student\.cnn|wandb_tags/);
  });

  it.each([
    ["5.5", 5.5],
    ['"5.5"', 5.5],
    ["5.4", 5.4],
  ])("may say normaliser_update: %s", (text, value) => {
    const { config } = resolved(`algorithm: {normaliser_update: ${text}}`);
    expect(config.algorithm).toMatchObject({ normaliser_update: value });
  });
});
