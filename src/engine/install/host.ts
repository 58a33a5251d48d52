/** What the installer decides from: plain facts about a machine, gathered in `probes.ts`. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  /** Version of glibc, e.g. `2.36`; absent on musl and elsewhere. */
  readonly glibc?: string;
  /** `ID` and `ID_LIKE` of /etc/os-release. */
  readonly family: readonly string[];
  readonly nvidiaDriver: boolean;
}

/** The TensorFlow that is fetched. Its C API is stable across 2.x, so this is free to grow. */
export const TENSORFLOW_VERSION = "2.21.0";

export type Flavour = "cpu" | "cuda";

/** Oldest glibc that the wheel runs on: its `manylinux_2_27` tag. */
const OLDEST_GLIBC = 27;

/** Why there is no wheel for a machine, or undefined where there is one. */
export function whyNoWheel(host: Host): string | undefined {
  const where = `${host.platform} on ${host.arch}`;
  if (host.platform === "linux") {
    if (host.arch !== "x64" && host.arch !== "arm64") return `no TensorFlow wheel for ${where}`;
    if (host.glibc === undefined) {
      return "no TensorFlow wheel for a Linux without glibc (Alpine, musl); use a glibc image";
    }
    const minor = Number(host.glibc.split(".")[1]);
    if (minor < OLDEST_GLIBC) {
      return `the TensorFlow wheel needs glibc 2.${OLDEST_GLIBC}, this machine has ${host.glibc}`;
    }
    return undefined;
  }
  if (host.platform === "darwin" && host.arch === "arm64") return undefined;
  return `no TensorFlow wheel for ${where}`;
}

/** `FIRSTSOLO_FLAVOUR` wins; otherwise CUDA where an NVIDIA driver is seen on x64 Linux. */
export function flavourFor(host: Host, asked: string | undefined): Flavour {
  if (asked === "cpu" || asked === "cuda") return asked;
  return host.nvidiaDriver && host.platform === "linux" && host.arch === "x64" ? "cuda" : "cpu";
}

/** The requirement that pip is given. `tensorflow` carries CUDA on Linux, and is plain on macOS. */
export function requirementFor(host: Host, flavour: Flavour): string {
  const name = flavour === "cuda" || host.platform === "darwin" ? "tensorflow" : "tensorflow_cpu";
  return `${name}==${TENSORFLOW_VERSION}`;
}

/**
 * Options that make pip fetch a wheel whatever Python it runs in: the native library is the same for
 * every Python, and a machine's own may be too old or too new to have a wheel.
 */
export function anyPythonOptions(host: Host): readonly string[] {
  const options = ["--python-version", "3.12", "--implementation", "cp"];
  if (host.platform === "darwin") return [...options, "--platform", "macosx_12_0_arm64"];
  const arch = host.arch === "arm64" ? "aarch64" : "x86_64";
  const newest = Number(host.glibc?.split(".")[1] ?? OLDEST_GLIBC);
  const tags = ["manylinux2014", "manylinux2010", "manylinux1"];
  for (const minor of [35, 34, 31, 28, 27, 24, 18, 17, 12, 5]) {
    if (minor <= newest) tags.push(`manylinux_2_${minor}`);
  }
  return [...options, ...tags.flatMap((tag) => ["--platform", `${tag}_${arch}`])];
}

/** Disk space an install needs at its widest, bytes: archive and unpacked files together. */
export function spaceNeeded(flavour: Flavour): number {
  return flavour === "cuda" ? 11e9 : 1.3e9;
}

export type Tool = "python" | "pip" | "compiler";

/** The command that installs a tool on this kind of system. */
export function howToInstall(tool: Tool, host: Host): string {
  const packages: Record<Tool, readonly [string, string, string, string, string]> = {
    python: ["python3", "python3", "python", "python3", "python3"],
    pip: ["python3-pip", "python3-pip", "python-pip", "python3-pip", "py3-pip"],
    compiler: ["g++", "gcc-c++", "gcc", "gcc-c++", "g++"],
  };
  const [debian, fedora, arch, suse, alpine] = packages[tool];
  const is = (...names: readonly string[]) => names.some((name) => host.family.includes(name));
  if (host.platform === "darwin") {
    return tool === "compiler" ? "xcode-select --install" : "brew install python";
  }
  if (is("debian", "ubuntu")) return `sudo apt-get install ${debian}`;
  if (is("fedora", "rhel", "centos")) return `sudo dnf install ${fedora}`;
  if (is("arch")) return `sudo pacman -S ${arch}`;
  if (is("suse", "opensuse")) return `sudo zypper install ${suse}`;
  if (is("alpine")) return `apk add ${alpine}`;
  const name = { python: "Python 3", pip: "pip for Python 3", compiler: "a C++17 compiler (g++)" };
  return `your package manager, for ${name[tool]}`;
}

const NO_WHEEL = "pip knows no wheel of it for this machine";

/** What went wrong, in a sentence, from what pip printed. */
export function explainPip(output: string): string {
  if (/no space left|errno 28/i.test(output)) return "the disk is full";
  if (/certificate|SSLError|SSLCert/i.test(output))
    return "the package index's certificate was not accepted";
  // Before "no wheel": an index that is not reached has no wheels either, says pip.
  if (/connection|name resolution|timed? ?out|unreachable|proxy|stalled/i.test(output)) {
    return "the package index can't be reached";
  }
  if (/no matching distribution|could not find a version/i.test(output)) return NO_WHEEL;
  const lines = output.split("\n").filter((line) => /error/i.test(line));
  return lines.at(-1)?.trim().slice(0, 200) || "pip gave no reason";
}

/** Whether the wheels of another Python are worth asking for. */
export function isWheelMissing(output: string): boolean {
  return explainPip(output) === NO_WHEEL;
}

/** What went wrong, in a sentence, from what a compiler printed. */
export function explainCompiler(output: string): string {
  if (/unrecognized|unknown.*std|invalid value.*std/i.test(output)) {
    return "the compiler is too old for C++17";
  }
  const line = output.split("\n").find((text) => /\berror\b|undefined reference/i.test(text));
  return line?.trim().slice(0, 200) ?? "the compiler gave no reason";
}
