/** Python's modules whose functions run programs, open files or sockets. */
const modules = new Set([
  "os",
  "posix",
  "nt",
  "subprocess",
  "_posixsubprocess",
  "commands",
  "popen2",
  "pty",
  "sys",
  "runpy",
  "shutil",
  "socket",
  "ctypes",
  "importlib",
  "imp",
  "code",
  "codeop",
  "pdb",
  "bdb",
  "timeit",
  "webbrowser",
  "http",
  "urllib",
  "requests",
  "tempfile",
  "multiprocessing",
  "asyncio",
  "pip",
]);

/** Built-in functions of that kind. */
const builtins = new Set([
  "eval",
  "exec",
  "execfile",
  "compile",
  "open",
  "file",
  "input",
  "__import__",
  "apply",
  "breakpoint",
]);

/**
 * Whether a pickle that names this global means harm: it would not be run here, but no honest checkpoint holds it.
 */
export function forbidden(module: string, name: string): boolean {
  const [root = ""] = module.split(".");
  if (modules.has(root)) return true;
  if (root === "builtins" || root === "__builtin__") return builtins.has(name);
  return module === "torch" && (name === "load" || name === "hub.load");
}
