import { describe, expect, it } from "vitest";
import {
  anyPythonOptions,
  explainCompiler,
  explainPip,
  flavourFor,
  type Host,
  howToInstall,
  requirementFor,
  whyNoWheel,
} from "../../src/engine/install/host.ts";

const linux: Host = {
  platform: "linux",
  arch: "x64",
  glibc: "2.36",
  family: ["debian"],
  nvidiaDriver: false,
};

describe("which TensorFlow a machine gets", () => {
  it("is CUDA's where an NVIDIA driver is seen, and the small one elsewhere", () => {
    expect(flavourFor(linux, undefined)).toBe("cpu");
    expect(flavourFor({ ...linux, nvidiaDriver: true }, undefined)).toBe("cuda");
    expect(flavourFor({ ...linux, nvidiaDriver: true, arch: "arm64" }, undefined)).toBe("cpu");
    expect(requirementFor(linux, "cpu")).toBe("tensorflow_cpu==2.21.0");
    expect(requirementFor(linux, "cuda")).toBe("tensorflow==2.21.0");
  });

  it("follows FIRSTSOLO_FLAVOUR, and no word that it does not know", () => {
    expect(flavourFor(linux, "cuda")).toBe("cuda");
    expect(flavourFor({ ...linux, nvidiaDriver: true }, "cpu")).toBe("cpu");
    expect(flavourFor(linux, "rocm")).toBe("cpu");
  });

  it("is none on musl, an old glibc, or a system without wheels, with the reason", () => {
    const { glibc: _, ...musl } = linux;
    expect(whyNoWheel(musl)).toMatch(/without glibc/);
    expect(whyNoWheel({ ...linux, glibc: "2.17" })).toMatch(/needs glibc 2.27.*has 2.17/);
    expect(whyNoWheel({ ...linux, arch: "riscv64" })).toMatch(/riscv64/);
    expect(whyNoWheel({ ...musl, platform: "darwin" })).toMatch(/darwin on x64/);
    expect(whyNoWheel({ ...musl, platform: "darwin", arch: "arm64" })).toBeUndefined();
    expect(whyNoWheel({ ...linux, arch: "arm64" })).toBeUndefined();
    expect(whyNoWheel(linux)).toBeUndefined();
  });

  it("never asks pip for a wheel that is too new for the machine's glibc", () => {
    const options = anyPythonOptions({ ...linux, glibc: "2.28" });
    expect(options).toContain("manylinux_2_27_x86_64");
    expect(options).toContain("manylinux2014_x86_64");
    expect(options).not.toContain("manylinux_2_31_x86_64");
    expect(anyPythonOptions({ ...linux, arch: "arm64" })).toContain("manylinux_2_27_aarch64");
  });
});

describe("what to do about a missing tool", () => {
  it.each([
    [["ubuntu", "debian"], "sudo apt-get install g++"],
    [["rocky", "rhel", "centos", "fedora"], "sudo dnf install gcc-c++"],
    [["arch"], "sudo pacman -S gcc"],
    [["opensuse-leap", "suse", "opensuse"], "sudo zypper install gcc-c++"],
    [["alpine"], "apk add g++"],
  ])("on %j it is a command of that system", (family, command) => {
    expect(howToInstall("compiler", { ...linux, family })).toBe(command);
  });

  it("is said in words where the system is not known", () => {
    expect(howToInstall("pip", { ...linux, family: ["void"] })).toMatch(/pip for Python 3/);
    expect(howToInstall("compiler", { ...linux, platform: "darwin" })).toMatch(/xcode-select/);
  });
});

describe("what a tool printed", () => {
  it("becomes one sentence about pip", () => {
    const missing =
      "ERROR: Could not find a version that satisfies the requirement\nERROR: No matching";
    expect(explainPip(missing)).toMatch(/no wheel of it for this machine/);
    expect(explainPip("OSError: [Errno 28] No space left on device")).toMatch(/disk is full/);
    expect(explainPip("NewConnectionError: Failed to establish")).toMatch(/can't be reached/);
    expect(explainPip(`WARNING: Retrying after connection broken\n${missing}`)).toMatch(/reached/);
    expect(explainPip("SSLCertVerificationError: self signed")).toMatch(/certificate/);
    expect(explainPip("ERROR: something odd")).toBe("ERROR: something odd");
    expect(explainPip("")).toMatch(/no reason/);
  });

  it("becomes one sentence about the compiler", () => {
    const output = "In file included from a.h:1\nb.cc:3:10: fatal error: x.h: No such file\n";
    expect(explainCompiler(output)).toBe("b.cc:3:10: fatal error: x.h: No such file");
    expect(explainCompiler("g++: error: unrecognized command line option")).toMatch(/too old/);
  });
});
