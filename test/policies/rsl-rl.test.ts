import { describe, expect, it } from "vitest";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import { readTorchFile, writeTorchFile } from "../../policies/checkpoint/torch-file.ts";
import {
  OrderedDict,
  type TorchDict,
  type TorchTensor,
  type TorchValue,
  torchDict,
} from "../../policies/checkpoint/torch-value.ts";
import { CheckpointError } from "../../policies/policy-error.ts";
import { readData } from "./examples.ts";

function distillation(name: string) {
  const checkpoint = readRslRl(readData(`${name}.pt`), `${name}.pt`);
  if (checkpoint.kind !== "distillation") throw new Error("expected a distillation checkpoint");
  return checkpoint;
}

function ppo(name: string) {
  const checkpoint = readRslRl(readData(`${name}.pt`), `${name}.pt`);
  if (checkpoint.kind !== "ppo") throw new Error("expected a PPO checkpoint");
  return checkpoint;
}

describe("what a checkpoint says of itself", () => {
  it("2.3: student and teacher, both recurrent, normalised by dicts beside the model", () => {
    const { version, student, teacher, iteration } = distillation("v2-distillation-gru");
    expect({ version, iteration }).toEqual({ version: "2.3", iteration: 3 });
    expect(student).toMatchObject({
      inputWidth: 5,
      hidden: [8, 6],
      actionWidth: 3,
      stdType: "scalar",
    });
    expect(student.rnn).toEqual({ type: "gru", width: 4, layers: 2 });
    expect(teacher).toMatchObject({ inputWidth: 6, hidden: [7], actionWidth: 3 });
    expect(teacher.rnn).toEqual({ type: "gru", width: 4, layers: 2 });
    expect(student.normaliser?.mean).toHaveLength(5);
    expect(teacher.normaliser?.mean).toHaveLength(6);
    expect(student.normaliser?.count).toBe(1234);
    expect(teacher.std).toBeUndefined();
  });

  it("2.3: a PPO run's infos are kept", () => {
    const { infos, actor } = ppo("v2-ppo-lstm");
    expect(infos).toEqual(torchDict({ a: 1 }));
    expect(actor.normaliser).toBeUndefined();
    expect(actor.rnn).toEqual({ type: "lstm", width: 4, layers: 1 });
  });

  it("3: normalisers among the weights, logarithm of the noise", () => {
    const { version, student, teacher } = distillation("v3-distillation-lstm");
    expect(version).toBe("3");
    expect(student).toMatchObject({ stdType: "log", rnn: { type: "lstm", width: 4, layers: 2 } });
    expect(Math.min(...(student.std ?? []))).toBeGreaterThan(1);
    expect(teacher.rnn).toBeUndefined();
    expect(teacher.normaliser?.mean).toHaveLength(6);
  });

  it("3: noise put out by the network makes two outputs per action", () => {
    const { version, actor } = ppo("v3-ppo-state-dependent");
    expect(version).toBe("3");
    expect(actor).toMatchObject({ outputWidth: 6, actionWidth: 3, doubled: true });
  });

  it("4: a teacher without noise has one output per action", () => {
    const { version, student, teacher } = distillation("v4-distillation-gru");
    expect(version).toBe("4");
    expect(student).toMatchObject({ stdType: "log", actionWidth: 3 });
    expect(teacher).toMatchObject({ outputWidth: 3, actionWidth: 3 });
    expect(teacher.std).toBeUndefined();
  });

  it("5: a distribution without parameters is known by its module", () => {
    const { version, student, teacher } = distillation("v5-distillation-lstm");
    expect(version).toBe("5");
    expect(student).toMatchObject({ stdType: "scalar", actionWidth: 3 });
    expect(teacher).toMatchObject({ outputWidth: 6, actionWidth: 3, doubled: true });
  });

  it("all weights have the names of version 5, in its order", () => {
    const { student } = distillation("v3-distillation-lstm");
    expect(Object.keys(student.layers).slice(0, 8)).toEqual([
      "mlp.0.weight",
      "mlp.0.bias",
      "mlp.2.weight",
      "mlp.2.bias",
      "mlp.4.weight",
      "mlp.4.bias",
      "rnn.rnn.weight_ih_l0",
      "rnn.rnn.weight_hh_l0",
    ]);
    expect(student.layers["rnn.rnn.weight_ih_l0"]?.shape).toEqual([16, 5]);
  });
});

describe("a written distillation checkpoint", () => {
  const names = ["v2-distillation-gru", "v4-distillation-gru", "v5-distillation-lstm"];

  it.each(names)("of %s reads back the same", (name) => {
    const { student, teacher, optimiser, iteration } = distillation(name);
    const infos = torchDict({ firstsolo: torchDict({ seed: 3, text: "ü", ratio: 0.5 }) });
    const bytes = writeRslRlDistillation({ student, teacher, optimiser, iteration, infos });
    const back = readRslRl(bytes, "back.pt");
    expect(back).toMatchObject({ kind: "distillation", version: "5", iteration });
    expect(back.infos).toEqual(infos);
    expect(back.optimiser).toEqual(optimiser);
    if (back.kind !== "distillation") throw new Error("unreachable");
    expect(back.student.layers).toEqual(student.layers);
    expect(back.student.normaliser).toEqual(student.normaliser);
    expect(back.teacher).toEqual(teacher);
  });

  it("has the keys that rsl_rl 5 loads strictly, statistics and noise first", () => {
    const { student, teacher } = distillation("v5-distillation-lstm");
    const bytes = writeRslRlDistillation({
      student,
      teacher,
      optimiser: new Map(),
      iteration: 0,
      infos: null,
    });
    const file = readTorchFile(bytes) as TorchDict;
    expect([...file.keys()]).toEqual([
      "student_state_dict",
      "teacher_state_dict",
      "optimizer_state_dict",
      "iter",
      "infos",
    ]);
    const golden = readTorchFile(readData("v5-distillation-lstm.pt")) as TorchDict;
    for (const key of ["student_state_dict", "teacher_state_dict"]) {
      const found = file.get(key) as TorchDict;
      const expected = golden.get(key) as TorchDict;
      expect([...found.keys()]).toEqual([...expected.keys()]);
      expect(found).toEqual(new OrderedDict(expected));
    }
  });

  it("may have a teacher that is no network", () => {
    const { student } = distillation("v5-distillation-lstm");
    const rest = { optimiser: new Map(), iteration: 1, infos: null };
    const bytes = writeRslRlDistillation({ student, teacher: { layers: {} }, ...rest });
    const back = readRslRl(bytes, "back.pt");
    expect(back).toMatchObject({ teacher: { layers: {}, actionWidth: 0 } });
  });
});

describe("a checkpoint that is not whole", () => {
  /** The message for a real checkpoint after a change to its student. */
  function messageAfter(change: (student: Map<string, TorchValue>) => void): string {
    const file = new Map(readTorchFile(readData("v5-distillation-lstm.pt")) as TorchDict);
    const student = new OrderedDict(file.get("student_state_dict") as TorchDict);
    change(student as unknown as Map<string, TorchValue>);
    file.set("student_state_dict", student);
    try {
      readRslRl(writeTorchFile(file), "run/model_1.pt");
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError);
      return (error as CheckpointError).message;
    }
    return "";
  }

  const floats = (shape: readonly number[], fill = 0): TorchTensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, dtype: "float32", data: new Float32Array(length).fill(fill) };
  };

  it.each([
    ["a missing layer", "mlp.2.weight", undefined, "missing"],
    ["a missing bias", "mlp.4.bias", undefined, "missing"],
    ["a missing recurrent part", "rnn.rnn.bias_hh_l1", undefined, "missing"],
    ["half its statistics", "obs_normalizer._var", undefined, "missing"],
    ["a weight that is not a number", "mlp.0.weight", floats([8, 4], Number.NaN), "NaN"],
    ["an infinite weight", "mlp.0.bias", floats([8], Number.POSITIVE_INFINITY), "Infinity"],
    ["a layer of another width", "mlp.2.weight", floats([6, 9]), "[6, 9], expected [6, 8]"],
    ["a bias of another width", "mlp.2.bias", floats([5]), "[5], expected [6]"],
    ["a layer without rows", "mlp.0.weight", floats([0, 4]), "mlp.0.weight"],
    ["statistics of another width", "obs_normalizer._std", floats([1, 9]), "expected [1, 5]"],
    ["a negative variance", "obs_normalizer._var", floats([1, 5], -1), "negative"],
    ["gates of no known kind", "rnn.rnn.weight_ih_l0", floats([8, 5]), "12 rows (GRU) or 16"],
    ["text for a weight", "mlp.0.weight", "hello", "hello"],
    ["whole numbers for weights", "mlp.0.bias", tensorOfInts(), "int32"],
    ["noise of another width", "distribution.std_param", floats([2]), "2 noise parameters"],
    ["a convolution", "cnn.0.weight", floats([1]), "kind of network"],
    ["a layer between layers", "mlp.1.weight", floats([1]), "activation is expected"],
    ["a layer out of all proportion", "mlp.998.weight", floats([1]), "missing"],
    ["both directions", "rnn.rnn.weight_ih_l0_reverse", floats([1]), "kind of network"],
  ] as const)("with %s is refused by file and key", (_, key, value, expected) => {
    const message = messageAfter((student) => {
      if (value === undefined) student.delete(key);
      else student.set(key, value);
    });
    expect(message).toContain("run/model_1.pt");
    expect(message).toContain(expected);
    if (!expected.includes("missing")) return;
    expect(message).toContain("student_state_dict");
  });

  function tensorOfInts(): TorchTensor {
    return { shape: [8], dtype: "int32", data: new Int32Array(8) };
  }

  it.each([
    ["a list", [], "a list of 0"],
    ["a state_dict by itself", torchDict({ "mlp.0.weight": 1 }), "mlp.0.weight"],
    ["a checkpoint without its model", torchDict({ iter: 3 }), "iter"],
    ["a model that is no dict", torchDict({ model_state_dict: 3 }), "model_state_dict is 3"],
    ["a model without an actor", torchDict({ model_state_dict: new Map() }), "no keys"],
    ["a student without a teacher", torchDict({ student_state_dict: new Map() }), "teacher_state"],
    ["an iteration before the first", torchDict({ actor_state_dict: new Map(), iter: -1 }), "-1"],
    ["an empty actor", torchDict({ actor_state_dict: new Map() }), "mlp.0.weight"],
  ] as const)("%s is refused", (_, value, expected) => {
    const attempt = () => readRslRl(writeTorchFile(value), "x.pt");
    expect(attempt).toThrow(CheckpointError);
    expect(attempt).toThrow(expected);
  });
});
