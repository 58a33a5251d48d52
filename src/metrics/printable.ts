const longestText = 400;

/** Codes that a terminal obeys, or that turn around or hide what a reader sees. */
const unseen = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/**
 * Foreign text (an event's message, a simulator's log, a metric's name) as one line in which every control code can
 * be seen and none acts: an escape becomes `\x1b`. Line ends and tabs become spaces. What is no text is empty.
 */
export function printable(value: unknown, longest = longestText): string {
  if (typeof value !== "string") return "";
  return value
    .slice(0, longest)
    .replace(/[\t\n\v\f\r\u2028\u2029]+/g, " ")
    .replace(unseen, visible);
}

function visible(code: string): string {
  const hex = code.charCodeAt(0).toString(16);
  return hex.length > 2 ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`;
}

/** Text without the codes for colours, which say nothing; all other codes stay. */
export function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what is looked for
  return text.replace(/\u001b\[[\d;:]*m/g, "");
}
