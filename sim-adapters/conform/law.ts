import type { Visit } from "./visit.ts";

/** One sentence of the protocol that a live server keeps or breaks. */
export interface Law {
  /** Kebab-case, for people and programs. */
  readonly name: string;
  /** Of protocol/README.md, without the §. */
  readonly section: string;
  /** What a server does that keeps it. */
  readonly claim: string;
  /** Returns when it holds. @throws LawBroken with what was seen, NotTested with why it can't be told */
  readonly check: (visit: Visit) => Promise<void>;
}
