import { checkEndpoint, type EndpointError } from "../../sim-adapters/endpoint.ts";
import { assignSeats } from "../running/env-split.ts";
import type { FlightError } from "../running/running-error.ts";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./schema.ts";

/** Values that are fine one by one and make no sense together. @throws ConfigError */
export function crossCheck(config: Config): void {
  checkSeats(config);
  checkSteps(config);
  checkSchedule(config.algorithm);
  checkMemory(config.policy);
  checkSimulator(config.sim);
}

function checkSeats({ num_envs, evaluation }: Config): void {
  try {
    assignSeats(num_envs, evaluation.env_share);
  } catch (cause) {
    const { code, message, hint } = cause as FlightError;
    throw new ConfigError(code, message, hint, { cause });
  }
  if (num_envs === 1 && evaluation.final_episodes > 0) {
    throw new ConfigError(
      "no-comparison",
      "The evaluation at the end flies the student and the teacher side by side; num_envs is 1",
      "Use more environments (--num_envs), or set evaluation.final_episodes=0.",
    );
  }
}

function checkSteps({ num_steps_per_env, algorithm }: Config): void {
  const { num_learning_epochs, gradient_length, drop_leftover_steps, buffer_size } = algorithm;
  if (drop_leftover_steps && buffer_size > 0) {
    throw new ConfigError(
      "two-references",
      `drop_leftover_steps is rsl_rl's habit, and rsl_rl has no buffer; buffer_size is ${buffer_size}`,
      "Set algorithm.drop_leftover_steps=false, or algorithm.buffer_size=0.",
    );
  }
  const seen = num_steps_per_env * num_learning_epochs;
  if (!drop_leftover_steps || seen >= gradient_length) return;
  throw new ConfigError(
    "never-learns",
    `drop_leftover_steps with gradient_length ${gradient_length} drops every step: an iteration has ${num_steps_per_env} steps × ${num_learning_epochs} epochs = ${seen}`,
    `Set algorithm.gradient_length to at most ${seen}, or algorithm.drop_leftover_steps=false.`,
  );
}

function checkSchedule(algorithm: Config["algorithm"]): void {
  const { learning_rate_schedule, learning_rate_last } = algorithm;
  const { teacher_share_schedule, teacher_share_start } = algorithm;
  if (learning_rate_schedule === "exponential" && learning_rate_last === 0) {
    throw new ConfigError(
      "no-end-of-schedule",
      "An exponential learning_rate_schedule never gets to learning_rate_last 0",
      "Set algorithm.learning_rate_last above 0, e.g. 0.02, or the schedule to cosine.",
    );
  }
  if (teacher_share_schedule === "exponential" && teacher_share_start === 0) {
    throw new ConfigError(
      "no-start-of-schedule",
      "An exponential teacher_share_schedule never leaves teacher_share_start 0",
      "Set algorithm.teacher_share_start above 0, e.g. 1, or the schedule to linear.",
    );
  }
}

function checkMemory({ rnn_type, history_length, student_obs_normalization }: Config["policy"]) {
  if (history_length === 1) return;
  const other =
    rnn_type === null ? student_obs_normalization && "student_obs_normalization" : "rnn_type";
  if (other === false) return;
  throw new ConfigError(
    "two-memories",
    `policy.history_length ${history_length} can't be combined with policy.${other}`,
    `Set policy.history_length=1, or drop policy.${other}.`,
  );
}

function checkSimulator(sim: Config["sim"]): void {
  const keys = [sim.curve_server_key_file, sim.curve_client_key_file].filter((file) => file);
  if (sim.endpoint === null) {
    if (!sim.listen && keys.length === 0) return;
    const key = sim.listen ? "sim.listen" : "sim.curve_*_key_file";
    throw new ConfigError(
      "no-endpoint",
      `${key} is set, but no address of a simulator`,
      "Name it: --sim tcp://HOST:PORT.",
    );
  }
  if (keys.length === 1) {
    throw new ConfigError(
      "half-a-key",
      "Only one of sim.curve_server_key_file and sim.curve_client_key_file is set",
      "CURVE needs both: the simulator's public key and our own secret one.",
    );
  }
  try {
    checkEndpoint(sim.endpoint);
  } catch (cause) {
    const { code, message, hint } = cause as EndpointError;
    throw new ConfigError(code, `sim.endpoint: ${message}`, hint, { cause });
  }
}
