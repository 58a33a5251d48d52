import { describe, expect, it } from "vitest";
import { optimiserOrder, reorderOptimiser } from "../../policies/checkpoint/optimiser-order.ts";
import { type RslRlDistillation, readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import {
  checkpointVersions,
  checkWritable,
  writeRslRlDistillation,
} from "../../policies/checkpoint/rsl-rl-write.ts";
import { readTorchFile } from "../../policies/checkpoint/torch-file.ts";
import {
  OrderedDict,
  type TorchDict,
  type TorchValue,
} from "../../policies/checkpoint/torch-value.ts";
import { readData } from "./examples.ts";

/** What rsl_rl's own runner keeps in its files, one per layout. */
const golden: readonly (readonly [number, string])[] = [
  [2, "v2-distillation-gru"],
  [3, "v3-distillation-lstm"],
  [4, "v4-distillation-gru"],
  [5, "v5-distillation-lstm"],
];

function distillation(bytes: Uint8Array): RslRlDistillation {
  const checkpoint = readRslRl(bytes, "x.pt");
  if (checkpoint.kind !== "distillation") throw new Error("expected a distillation checkpoint");
  return checkpoint;
}

/** Written in a layout, its optimiser's state having been brought into the order of 5. */
function rewrite(file: RslRlDistillation, version: number): Uint8Array {
  const [from, to] = [optimiserOrder(file.version, file), optimiserOrder("5", file)];
  const optimiser = reorderOptimiser(file.optimiser, from, to);
  return writeRslRlDistillation({ ...file, optimiser }, version);
}

/** The same without what torch hangs on a state_dict, which says nothing of the weights. */
function plain(value: TorchValue | undefined): TorchValue | undefined {
  if (!(value instanceof Map)) return value;
  return new OrderedDict([...value].map(([key, part]) => [key, plain(part) as TorchValue]));
}

describe("a distillation checkpoint in the layout of", () => {
  it.each(golden)(
    "rsl_rl %i is what that version's runner saved, to the order of keys",
    (v, name) => {
      const real = readTorchFile(readData(`${name}.pt`)) as TorchDict;
      const own = readTorchFile(rewrite(distillation(readData(`${name}.pt`)), v)) as TorchDict;
      expect([...own.keys()]).toEqual([...real.keys()]);
      for (const key of own.keys()) {
        const [found, expected] = [own.get(key), real.get(key)];
        if (key === "optimizer_state_dict") continue;
        expect(plain(found), String(key)).toEqual(plain(expected));
        if (!(found instanceof Map && expected instanceof Map)) continue;
        expect([...found.keys()], String(key)).toEqual([...expected.keys()]);
      }
    },
  );

  it.each(golden)(
    "rsl_rl %i has its optimiser's state in that version's order",
    (version, name) => {
      const file = distillation(readData(`${name}.pt`));
      const own = distillation(rewrite(file, version));
      const part = (optimiser: TorchValue, key: string) => (optimiser as TorchDict).get(key);
      expect(part(own.optimiser, "param_groups")).toEqual(part(file.optimiser, "param_groups"));
      // The makers of these files moved their teachers, which no run does.
      const order = optimiserOrder(file.version, file);
      const known = [...(part(file.optimiser, "state") as TorchDict)].filter(
        ([place]) => !order[Number(place)]?.startsWith("teacher"),
      );
      expect(known.length).toBeGreaterThan(8);
      expect([...(part(own.optimiser, "state") as TorchDict)]).toEqual(known);
    },
  );

  it.each(golden)("rsl_rl %i names the modules that torch names", (version, name) => {
    const modules = (bytes: Uint8Array) => {
      const file = readTorchFile(bytes) as TorchDict;
      const dict = (file.get("model_state_dict") ?? file.get("student_state_dict")) as OrderedDict;
      return new Set([...(dict.attributes.get("_metadata") as TorchDict).keys()]);
    };
    const real = modules(readData(`${name}.pt`));
    for (const module of modules(rewrite(distillation(readData(`${name}.pt`)), version))) {
      expect(real).toContain(module);
    }
  });
});

describe("from one layout to another and back", () => {
  const ways = golden.flatMap(([, name]) => checkpointVersions.map((v) => [name, v] as const));

  it.each(ways)("%s by way of %i keeps weights, statistics and moments", (name, version) => {
    const start = distillation(readData(`${name}.pt`));
    const between = distillation(rewrite(start, version));
    const end = distillation(rewrite(between, 5));
    expect(end.iteration).toBe(start.iteration);
    expect(end.student.layers).toEqual(start.student.layers);
    if (start.teacher.normaliser) expect(end.teacher.normaliser).toEqual(start.teacher.normaliser);
    if (start.student.normaliser) expect(end.student.normaliser).toEqual(start.student.normaliser);
    if (!start.teacher.doubled) expect(end.teacher.layers).toEqual(start.teacher.layers);
    const momentsOf = (file: RslRlDistillation) => {
      const order = optimiserOrder(file.version, file);
      const state = (file.optimiser as TorchDict).get("state") as TorchDict;
      const named = [...state].map(([place, entry]) => [order[Number(place)], entry] as const);
      return new Map(named.filter(([key]) => key?.startsWith("student")));
    };
    expect(momentsOf(start).size).toBeGreaterThan(0);
    expect(momentsOf(end)).toEqual(momentsOf(start));
  });

  it("2 gives the network that was not normalised statistics that change nothing", () => {
    const file = distillation(readData("v4-distillation-gru.pt"));
    expect(file.teacher.normaliser).toBeUndefined();
    const { teacher } = distillation(rewrite(file, 2));
    const { mean, std } = teacher.normaliser!;
    expect(new Set(mean)).toEqual(new Set([0]));
    expect(new Set(std.map((s) => s + Math.fround(0.01)))).toEqual(new Set([1]));
    expect(teacher.inputWidth).toBe(file.teacher.inputWidth);
  });

  it("below 5 a teacher that puts out its noise keeps its means", () => {
    const file = distillation(readData("v5-distillation-lstm.pt"));
    expect(file.teacher.outputWidth).toBe(2 * file.teacher.actionWidth);
    for (const version of [2, 3, 4] as const) {
      const { teacher } = distillation(rewrite(file, version));
      expect(teacher).toMatchObject({ outputWidth: 3, actionWidth: 3 });
      const [own, real] = [teacher, file.teacher].map(({ layers }) => layers["mlp.2.weight"]!.data);
      expect(own).toEqual(real!.subarray(0, own!.length));
    }
  });

  it("gives back what is no state of an optimiser", () => {
    for (const value of [null, 3, new Map(), new Map([["state", 1]])] as TorchValue[]) {
      expect(reorderOptimiser(value, ["a"], ["a", "b"])).toBe(value);
    }
  });
});

describe("what can't be written", () => {
  const { student, teacher, ...rest } = distillation(readData("v5-distillation-lstm.pt"));

  it.each([1, 6, 2.3, Number.NaN])("a layout %d, which there is not", (version) => {
    const attempt = () => writeRslRlDistillation({ student, teacher, ...rest }, version);
    expect(attempt).toThrow(expect.objectContaining({ code: "unsupported-version" }));
    expect(() => checkWritable(version, student, teacher)).toThrow(/expected one of 2, 3, 4, 5/);
  });

  it("a Beta teacher below 5", () => {
    const beta = { ...teacher, head: { kind: "beta", low: -1, high: 1 } as const };
    expect(() => checkWritable(5, student, beta)).not.toThrow();
    expect(() => checkWritable(4, student, beta)).toThrow(/rsl_rl 4 has no place for .*Beta/);
  });

  it("a recurrent teacher beside an MLP student in 2 and 3", () => {
    const mlp = { layers: { "mlp.0.weight": { shape: [1, 1], data: new Float32Array(1) } } };
    expect(() => checkWritable(4, mlp, student)).not.toThrow();
    expect(() => checkWritable(3, mlp, student)).toThrow(/recurrent teacher/);
    expect(() => checkWritable(3, student, student)).not.toThrow();
    expect(() => checkWritable(3, student, teacher)).not.toThrow();
  });

  it("a student that puts out its noise, below 5", () => {
    const doubled = { student: teacher, teacher: { layers: {} }, ...rest };
    expect(() => writeRslRlDistillation(doubled, 4)).toThrow(/rsl_rl 4 has no place/);
  });
});
