import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { readTorchFile } from "../../policies/checkpoint/torch-file.ts";
import { readZip } from "../../policies/checkpoint/zip-read.ts";
import { writeZip } from "../../policies/checkpoint/zip-write.ts";
import { CheckpointError } from "../../policies/policy-error.ts";
import fc from "../properties.ts";
import { archive, int, type PickleParts, pickle, storage, tensor, text } from "./crafted.ts";
import { readData } from "./examples.ts";

/** The CheckpointError of an attempt, if it was refused; anything else thrown fails the test. */
function refusal(attempt: () => unknown): CheckpointError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.hint).not.toBe("");
    expect(error.message).toContain("x.pt");
    return error;
  }
}

const read = (bytes: Uint8Array) => refusal(() => readTorchFile(bytes, "x.pt"));
const readPickle = (...parts: PickleParts) => read(archive(pickle(...parts)));

const real = readData("v3-ppo-state-dependent.pt");
const content = readRslRl(real, "x.pt");

describe("a real checkpoint, damaged", () => {
  it("is refused at every length but its own", () => {
    for (let length = 0; length < real.length; length++) {
      expect(
        refusal(() => readRslRl(real.subarray(0, length), "x.pt")),
        `${length}`,
      ).toBeDefined();
    }
  });

  it("is refused or reads the same with any bit flipped", () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(real.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Uint8Array.from(real);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        let found: unknown;
        const error = refusal(() => {
          found = readRslRl(damaged, "x.pt");
        });
        if (error === undefined) expect(found).toEqual(content);
        else refused++;
      }),
      { numRuns: 800 },
    );
    expect(refused).toBeGreaterThan(250);
  });

  it("is refused or read, and nothing else, when its pickle is changed and the checksum mended", () => {
    const members = readZip(real, "x.pt");
    const contents = new Map([...members].map(([name, member]) => [name, member.read()]));
    const [root] = [...contents.keys()].filter((name) => name.endsWith("data.pkl"));
    const whole = contents.get(root ?? "") ?? new Uint8Array();
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Uint8Array.from(whole);
        for (const [at, byte] of changes) changed[at] = byte;
        const bytes = writeZip(new Map(contents).set(root ?? "", changed));
        refusal(() => readRslRl(bytes, "x.pt"));
      }),
      { numRuns: 800 },
    );
  });

  it("is refused when it is no file of torch at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(read(bytes)).toBeDefined();
      }),
    );
  });
});

describe("a pickle that wants to run something", () => {
  it.each([
    ["cposix\nsystem\n", "posix.system"],
    ["cbuiltins\neval\n", "builtins.eval"],
    ["ctorch\nload\n", "torch.load"],
    ["c__builtin__\ngetattr\n", "__builtin__.getattr"],
    ["cnumpy.core.multiarray\n_reconstruct\n", "numpy.core.multiarray._reconstruct"],
    ["ccollections\nOrderedDict.__init__\n", "collections.OrderedDict.__init__"],
    ["cwhatever.they\nWrote\n", "whatever.they.Wrote"],
  ])("is refused by the name of %j", (global, name) => {
    const error = readPickle(global, text("echo hi"), 0x85, "R");
    expect(error?.code).toBe("forbidden-global");
    expect(error?.message).toContain(name);
  });

  it("is refused by name when the name comes from the stack", () => {
    const error = readPickle(text("os"), text("system"), 0x93, text("true"), 0x85, "R");
    expect(error?.message).toContain("os.system");
  });

  it.each([
    ["cposix\nsystem\n", "a global"],
    ["(X\x02\0\0\0hiios\nsystem\n", "INST"],
    ["(csubprocess\nPopen\no", "OBJ"],
    ["cos.path\njoin\n)\x81", "NEWOBJ"],
    ["cbuiltins\n__import__\n)}\x92", "NEWOBJ_EX"],
  ])("is refused beside the weights too: %j, by %s", (bytes) => {
    const beside = ["}(", text("weights"), int(1), text("infos"), bytes, "u"];
    expect(readPickle(...beside)?.code).toBe("forbidden-global");
  });

  it("runs nothing of an object that it does not know: only its name is kept", () => {
    const made = ["cmodule\nClass\n", ")", "\x81", "}", text("a"), int(1), "s", "b"];
    const file = archive(pickle("}(", text("weights"), int(1), text("cfg"), ...made, "u"));
    expect(readTorchFile(file, "x.pt")).toEqual(
      new Map<string, unknown>([
        ["weights", 1],
        ["cfg", expect.objectContaining({ name: "module.Class" })],
      ]),
    );
  });

  it.each([
    ["EXT1", "\x82\x01"],
    ["PERSID", "Pabc\n"],
    ["NEXT_BUFFER", "\x97"],
  ])("can't use %s", (name, bytes) => {
    const error = readPickle(bytes);
    expect(error?.code).toBe("unsupported-pickle");
    expect(error?.message).toContain(name);
  });

  it("can't call what it has built itself", () => {
    expect(readPickle("}", ")", "R")?.code).toBe("damaged-pickle");
    expect(readPickle("ctorch\nFloatStorage\n", ")", "R")?.code).toBe("damaged-pickle");
  });

  it("can't smuggle out a function or a storage as a value", () => {
    expect(readPickle("ccollections\nOrderedDict\n")).toBeDefined();
    const bytes = archive(pickle(storage("0", 1)), { "data/0": new Uint8Array(4) });
    expect(read(bytes)?.message).toContain("class or storage");
  });
});

describe("a pickle that wants to exhaust us", () => {
  it("is refused when a list holds itself", () => {
    expect(readPickle("]q", 0, "h", 0, "a")?.message).toContain("nested deeper");
  });

  it("is refused when a few bytes unfold to billions of values", () => {
    const levels = Array.from({ length: 40 }, (_, i) => ["]q", i + 1, "(h", i, "h", i, "e"]);
    expect(readPickle("]q", 0, ...levels.flat())?.message).toContain("values");
  });

  it.each([
    ["as a class", "\x93"],
    ["as what is called", ")R"],
    ["as a key", "}(h\x00K\x01u"],
    ["as the type of a NumPy scalar", "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(h\x1dtRtR"],
    ["as a pair of an ordered dict", "q\x63ccollections\nOrderedDict\n(h\x63h\x63tR"],
  ])("is answered at once where few bytes would unfold to much text, %s", (_, end) => {
    const levels = Array.from({ length: 29 }, (_, i) => ["]q", i + 1, "(h", i, "h", i, "e"]);
    const start = performance.now();
    const error = readPickle("]q", 0, ...levels.flat(), "h", 29, text("x"), end);
    expect(error?.message.length ?? 0).toBeLessThan(3000);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("is refused when a class is named by a tower of lists", () => {
    const depth = 20_000;
    const tower = `${"]".repeat(depth)}${"a".repeat(depth - 1)}`;
    expect(readPickle(tower, text("x"), "\x93")?.code).toBe("damaged-pickle");
    expect(readPickle(tower, tower, "\x93")?.code).toBe("damaged-pickle");
    expect(readPickle("}", tower, tower, "s")?.code).toBe("damaged-pickle");
  });

  it.each(["}", ")\x94", "]", "\x85"])("is answered in seconds when it is nothing but %j", (op) => {
    const many = Buffer.alloc(1_900_000, op, "latin1");
    // Of the processor: others may be at work on the machine.
    const before = process.cpuUsage();
    readPickle("(", op === "\x85" ? ")" : "", many, "t");
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(5);
  });

  it("says little of a long name", () => {
    const long = "n".repeat(100_000);
    for (const error of [
      read(archive(pickle("}(", text(long), int(1), "u"))),
      refusal(() => readRslRl(archive(pickle("}(", text(long), int(1), "u")), "x.pt")),
      readPickle(text(long), text("x"), "\x93"),
      readPickle(storage(long, 1)),
    ]) {
      expect(error?.message.length ?? 0).toBeLessThan(3000);
    }
  });

  it("is refused when lists tower", () => {
    const depth = 100_000;
    const bytes = `${"]".repeat(depth)}${"a".repeat(depth - 1)}`;
    expect(readPickle(bytes)?.message).toContain("nested deeper");
  });

  it("is refused when one number is spread over a huge tensor", () => {
    const huge = tensor(storage("0", 1), 0, [50_000, 50_000], [0, 0]);
    const bytes = archive(pickle(huge), { "data/0": new Uint8Array(4) });
    expect(read(bytes)?.message).toContain("far more elements");
  });

  it("is refused when lengths reach past the end", () => {
    expect(readPickle("X", 0xff, 0xff, 0xff, 0x7f)?.code).toBe("damaged-pickle");
    expect(readPickle("\x8b", 0xff, 0xff, 0xff, 0x7f)?.code).toBe("damaged-pickle");
    expect(readPickle("\x8d", ...Array(8).fill(0xff))?.code).toBe("damaged-pickle");
    expect(readPickle("\x95", ...Array(8).fill(0xff))?.code).toBe("damaged-pickle");
  });

  it.each([
    ["no value", ""],
    ["an append to nothing", "a"],
    ["items without a mark", "]e"],
    ["a key without a value", "}(K\x01u"],
    ["a dict as a key", "}}K\x01s"],
    ["an empty memo", "h\x05"],
    ["a protocol of the future", "\x80\x09N"],
    ["a mark as the result", "("],
    ["text that is not UTF-8", "X\x01\x00\x00\x00\xff"],
  ])("is refused with %s", (_, bytes) => {
    expect(readPickle(bytes)?.code).toBe("damaged-pickle");
  });
});

describe("a tensor that lies", () => {
  const file = (built: Uint8Array, bytes = 16) =>
    read(archive(pickle(built), { "data/0": new Uint8Array(bytes) }));

  it("is refused when it reaches past its storage", () => {
    const message = /reaches element \d+ of a storage of 4/;
    expect(file(tensor(storage("0", 4), 0, [5], [1]))?.message).toMatch(message);
    expect(file(tensor(storage("0", 4), 4, [1], [1]))?.message).toMatch(message);
    expect(file(tensor(storage("0", 4), 0, [2, 2], [3, 1]))?.message).toMatch(message);
  });

  it("is refused when a size, stride or offset is negative", () => {
    expect(file(tensor(storage("0", 4), 0, [-1], [1]))?.message).toContain("-1");
    expect(file(tensor(storage("0", 4), 0, [2], [-1]))?.message).toContain("-1");
    expect(file(tensor(storage("0", 4), -1, [2], [1]))?.message).toContain("-1");
  });

  it("is refused when shape and strides are of different lengths", () => {
    expect(file(tensor(storage("0", 4), 0, [2, 2], [1]))?.message).toContain("2 axes");
  });

  it("is refused when its storage is missing, or of another size, or used as two types", () => {
    expect(file(tensor(storage("1", 4), 0, [4], [1]))?.message).toContain("data/1");
    expect(file(tensor(storage("0", 4), 0, [4], [1]), 12)?.message).toContain("12 bytes");
    const both = Buffer.concat([
      Buffer.from("]("),
      tensor(storage("0", 4), 0, [4], [1]),
      tensor(storage("0", 4, "IntStorage"), 0, [4], [1]),
      Buffer.from("e"),
    ]);
    expect(file(both)?.message).toContain("FloatStorage and as IntStorage");
  });

  it("is refused when its storage is named from outside the archive", () => {
    expect(file(tensor(storage("../../etc/passwd", 4), 0, [4], [1]))?.code).toBe(
      "damaged-checkpoint",
    );
  });
});

describe("an archive that lies", () => {
  /** One member, its directory entry and header changed by hand. */
  function changed(
    change: (central: DataView, local: DataView) => void,
    data = new Uint8Array(64),
  ) {
    const bytes = writeZip(new Map([["a", data]]));
    const at = Buffer.from(bytes).indexOf("PK\x01\x02");
    change(new DataView(bytes.buffer, at), new DataView(bytes.buffer));
    return refusal(() => readZip(bytes, "x.pt").get("a")?.read());
  }

  it("is refused when a member unpacks to more than it says", () => {
    const packed = deflateRawSync(new Uint8Array(2 ** 20));
    const error = changed((central) => {
      central.setUint16(10, 8, true);
      central.setUint32(24, 100, true);
      central.setUint32(16, crc32(new Uint8Array(100)), true);
    }, packed);
    expect(error?.message).toContain("can't be unpacked");
  });

  it("is refused before anything is unpacked when it says that it would be huge", () => {
    const error = changed((central) => {
      central.setUint16(10, 8, true);
      central.setUint32(24, 0xf000_0000, true);
    });
    expect(error?.code).toBe("too-large");
  });

  it.each([
    ["encrypted", (central: DataView) => central.setUint16(8, 1, true), "encrypted"],
    ["packed in an unknown way", (central: DataView) => central.setUint16(10, 99, true), "99"],
    ["placed outside", (central: DataView) => central.setUint32(42, 1e9, true), "1000000000"],
    ["longer than the file", (central: DataView) => central.setUint32(20, 1e9, true), "cut off"],
    ["not what was summed", (central: DataView) => central.setUint32(16, 1, true), "checksum"],
  ])("is refused when a member is %s", (_, change, expected) => {
    expect(changed(change)?.message).toContain(expected);
  });

  it("is refused when its numbers are big-endian", () => {
    const bytes = archive(pickle("N"), { byteorder: Buffer.from("big") });
    expect(read(bytes)?.code).toBe("big-endian");
  });

  it("names the mistake when it is an exported program instead of a checkpoint", () => {
    const error = read(archive(pickle("N"), { "constants.pkl": pickle("N") }));
    expect(error?.code).toBe("torchscript");
    expect(error?.hint).toContain("model_*.pt");
  });

  it("names the mistake when it is a zip of something else", () => {
    expect(read(writeZip(new Map([["readme.txt", text("hi")]])))?.code).toBe("not-a-checkpoint");
  });

  it("names the mistake when it is a pickle of older torch", () => {
    const error = read(pickle(int(1)));
    expect(error?.code).toBe("not-a-zip");
    expect(error?.hint).toContain("torch");
  });
});
