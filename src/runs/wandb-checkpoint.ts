import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { RunError } from "./run-error.ts";

/** `wandb:ENTITY/PROJECT/RUN`, as Isaac Lab has it, or a file of that run: `wandb:ENTITY/PROJECT/RUN/model_100.pt`. */
const FORM = /^wandb:\/{0,2}([\w-][\w.-]*)\/([\w-][\w.-]*)\/([\w-][\w.-]*)(?:\/(.+))?$/;
/** Milliseconds a download may take. */
const PATIENCE = 600_000;

export function isOfWandb(text: string): boolean {
  return text.startsWith("wandb:");
}

/**
 * Downloads a policy of a run, and the params/agent.yaml that says how it flies, through the `wandb` that is
 * installed for Python, with its login. Gives the path of the file: the best checkpoint, else the last.
 *
 * @throws RunError `bad-pattern`, `no-wandb`, `no-such-run`, `no-checkpoint`
 */
export async function fetchFromWandb(text: string, logRoot: string): Promise<string> {
  const [, entity, project, run, file = ""] = FORM.exec(text) ?? [];
  if (entity === undefined || project === undefined || run === undefined) {
    throw new RunError(
      "bad-pattern",
      `${text} names no run of W&B`,
      "Write wandb:ENTITY/PROJECT/RUN, as the address of the run's page has them.",
    );
  }
  const path = `${entity}/${project}/${run}`;
  const folder = resolve(join(logRoot, "wandb_checkpoints", entity, project, run));
  const answer = await ask(["-c", script, path, folder, file]);
  const { error, code, found } = answer;
  if (found !== undefined) return found;
  throw new RunError(code ?? "no-such-run", `${text}: ${error}`, hints[code ?? ""] ?? hints[""]!);
}

const hints: Readonly<Record<string, string>> = {
  "no-wandb": "Install it for that Python, and log in: python3 -m pip install wandb; wandb login.",
  "no-checkpoint": "Name a file of the run: wandb:ENTITY/PROJECT/RUN/FILE.",
  "": "Look the run up in W&B, and log in: wandb login.",
};

interface Answer {
  readonly found?: string;
  readonly code?: string;
  readonly error?: string;
}

/** Another's code runs in another process: its last line is the answer. */
function ask(args: readonly string[]): Promise<Answer> {
  const python = process.env.PYTHON ?? "python3";
  const env = { ...process.env, WANDB_SILENT: "true" };
  return new Promise((done) => {
    execFile(python, args, { timeout: PATIENCE, env }, (failure, stdout, stderr) => {
      const last = stdout.trimEnd().split("\n").at(-1) ?? "";
      try {
        done(JSON.parse(last));
      } catch {
        const why = stderr.trimEnd().split("\n").at(-1) || failure?.message || "no answer";
        const missing = (failure as NodeJS.ErrnoException | null)?.code === "ENOENT";
        done({ code: "no-wandb", error: missing ? `there is no ${python}` : why });
      }
    });
  });
}

/**
 * Only names that are checkpoints or a run's configuration are asked for: none leads out of the folder. rsl_rl's own
 * logger uploads no agent.yaml, and keeps it in the run's config instead.
 */
const script = `
import json, os, re, sys
path, folder, wanted = sys.argv[1:4]
def end(**answer):
    print("\\n" + json.dumps(answer)); sys.exit(0)
try:
    import wandb
except ImportError as error:
    end(code="no-wandb", error="Python has no wandb: %s" % error)
try:
    run = wandb.Api().run(path)
    names = [file.name for file in run.files()]
except Exception as error:
    end(code="no-such-run", error=str(error) or type(error).__name__)
safe = [name for name in names if not os.path.isabs(name) and ".." not in name.split("/")]
base = lambda name: name.rsplit("/", 1)[-1]
number = lambda name: int(re.match(r"model_(\\d+)\\.pt$", base(name)).group(1))
if wanted:
    policies = [name for name in safe if name == wanted or base(name) == wanted]
else:
    policies = [name for name in safe if base(name) == "best_model.pt"] or sorted(
        (name for name in safe if re.match(r"model_\\d+\\.pt$", base(name))), key=number)
if not policies:
    end(code="no-checkpoint", error="no checkpoint among its files: %s" % ", ".join(sorted(names)[:12]))
for name in [name for name in safe if base(name) == "agent.yaml"] + [policies[-1]]:
    run.file(name).download(root=folder, replace=True)
params = os.path.join(folder, os.path.dirname(policies[-1]), "params")
agent = os.path.join(params, "agent.yaml")
os.makedirs(params, exist_ok=True)
for name in safe:
    if base(name) == "agent.yaml" and os.path.join(folder, name) != agent:
        os.replace(os.path.join(folder, name), agent)
kept = [run.config.get(key) for key in ("runner_cfg", "train_cfg", "agent_cfg")]
for config in [config for config in kept if isinstance(config, dict)]:
    if not os.path.isfile(agent):
        with open(agent, "w") as file:
            json.dump(config, file, default=str)
end(found=os.path.join(folder, policies[-1]))
`;
