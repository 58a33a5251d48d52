/** Levels that lists and objects may lie in each other; of ours none has ten. */
const deepest = 100;

/**
 * JSON of somebody else's. Each level costs the parser as much memory as fifty letters: a text of nothing but opening
 * brackets would take gigabytes before it is found to be none.
 *
 * @param most letters that it may have
 * @throws SyntaxError also where it is longer, or nested deeper
 */
export function parseJson(text: string, most = 16 << 20): unknown {
  if (text.length > most) throw new SyntaxError(`${text.length} letters, at most ${most}`);
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (letter === QUOTE) at = endOfText(text, at);
    else if (letter === LIST || letter === OBJECT) depth += 1;
    else if (letter === LIST + 2 || letter === OBJECT + 2) depth -= 1;
    if (depth > deepest) throw new SyntaxError(`nested deeper than ${deepest} levels`);
  }
  return JSON.parse(text);
}

const [QUOTE, BACKSLASH, LIST, OBJECT] = [0x22, 0x5c, 0x5b, 0x7b];

/** Of its closing quote. */
function endOfText(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}
