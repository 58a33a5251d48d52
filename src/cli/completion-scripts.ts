export interface CompletedFlag {
  /** With its dashes. */
  readonly flag: string;
  readonly summary: string;
  /** A value must follow; one that may be left out counts as none. */
  readonly value: boolean;
  /** Words for it; empty: the names of files. */
  readonly choices: readonly string[];
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Words that are no flags: `KEY=`. */
  readonly keys: readonly string[];
}

type Script = (commands: readonly CompletedCommand[]) => string;

/** Scripts by shell. They hold all words themselves: a key press starts no program. */
export const scripts: { readonly bash: Script; readonly zsh: Script; readonly fish: Script } = {
  bash,
  zsh,
  fish,
};

function bash(commands: readonly CompletedCommand[]): string {
  const flags = commands.map(({ name, flags }) => bashCase(name, flagsIn(flags)));
  const keys = commands.flatMap(({ name, keys }) => (keys.length > 0 ? bashCase(name, keys) : []));
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap(({ flag, value, choices }) =>
      value ? [`    "${name} ${flag}") words="${choices.join(" ")}"; value=1 ;;`] : [],
    ),
  );
  return `# firstsolo in bash: firstsolo completion bash >> ~/.bashrc
_firstsolo() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words="" value=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$word"))
    return
  fi
  case "$command $before" in
${values.join("\n")}
  esac
  if [ -n "$value" ]; then
    if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); else compopt -o default 2>/dev/null; fi
    return
  fi
  case "$word" in
  -*) case "$command" in
${flags.join("\n")}
    esac ;;
  ?*) case "$command" in
${keys.join("\n")}
    esac
    compopt -o nospace 2>/dev/null ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || compopt +o nospace -o default 2>/dev/null
}
complete -F _firstsolo firstsolo
`;
}

function bashCase(name: string, words: readonly string[]): string {
  return `    ${name}) words="${words.join(" ")}" ;;`;
}

function flagsIn(flags: readonly CompletedFlag[]): readonly string[] {
  return flags.map(({ flag }) => flag);
}

function zsh(commands: readonly CompletedCommand[]): string {
  const list = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map(({ name, flags, keys }) => {
    const options = flags.map(({ flag, summary, value, choices }) => {
      const words = choices.length > 0 ? `(${choices.join(" ")})` : "_files";
      const text = summary.replace(/[[\]:]/g, "\\$&");
      return quoted(`*${flag}[${text}]${value ? `: :${words}` : ""}`);
    });
    const rest =
      keys.length > 0
        ? quoted(`*: :{ compadd -S '' -- ${keys.join(" ")}; _files }`)
        : quoted("*: :_files");
    return `    ${name}) _arguments ${[...options, rest].join(" \\\n      ")} ;;`;
  });
  return `#compdef firstsolo
# firstsolo in zsh: firstsolo completion zsh > a folder of $fpath/_firstsolo
_firstsolo() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = _firstsolo ]; then _firstsolo "$@"; else compdef _firstsolo firstsolo; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, flags, keys }) => [
    `complete -c firstsolo -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...flags.map(({ flag, summary: text, value, choices }) => {
      const words = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : " -r";
      const when = quoted(`__fish_seen_subcommand_from ${name}`);
      return `complete -c firstsolo -n ${when} -l ${flag.slice(2)}${value ? words : ""} -d ${quoted(text)}`;
    }),
    ...(keys.length > 0
      ? [
          `complete -c firstsolo -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -a ${quoted(keys.join(" "))}`,
        ]
      : []),
  ]);
  return `# firstsolo in fish: firstsolo completion fish > ~/.config/fish/completions/firstsolo.fish\n${lines.join("\n")}\n`;
}

/** For a shell, in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
