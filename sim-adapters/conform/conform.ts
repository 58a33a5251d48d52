import { envelopeLaws } from "./envelope-laws.ts";
import { episodeLaws } from "./episode-laws.ts";
import { flightLaws } from "./flight-laws.ts";
import type { Law } from "./law.ts";
import { memoryLaws } from "./memory-laws.ts";
import { pictureLaws } from "./picture-laws.ts";
import { sessionLaws } from "./session-laws.ts";
import { LawBroken, NotTested } from "./verdict.ts";
import { Visit, type VisitOptions } from "./visit.ts";
import { welcomeLaws } from "./welcome-laws.ts";

/** Everything that is looked at, in this order. */
export const laws: readonly Law[] = [
  ...welcomeLaws.filter(({ name }) => name !== "signs-of-life"),
  ...sessionLaws,
  ...flightLaws,
  ...episodeLaws,
  ...pictureLaws,
  ...memoryLaws,
  ...envelopeLaws,
  // Last: it looks back at all the others' waiting.
  ...welcomeLaws.filter(({ name }) => name === "signs-of-life"),
];

export interface Finding {
  readonly law: string;
  /** Of protocol/README.md. */
  readonly section: string;
  readonly claim: string;
  readonly verdict: "holds" | "broken" | "not-tested";
  /** What was seen, or why nothing was; empty where it holds. */
  readonly detail: string;
}

export interface ConformOptions extends VisitOptions {
  /** Names; default: all. */
  readonly only?: readonly string[];
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * Looks at a live server, law by law, each in sessions of its own; nobody else may drive it meanwhile.
 *
 * @throws RemoteError when nothing answers, or the server refuses to be driven
 */
export async function conform(options: ConformOptions): Promise<readonly Finding[]> {
  const { only, onFinding = () => {} } = options;
  const visit = new Visit(options);
  const findings: Finding[] = [];
  const note = (finding: Finding) => {
    findings.push(finding);
    onFinding(finding);
  };
  const broken = await arrive(visit);
  for (const law of laws) {
    if (only !== undefined && !only.includes(law.name)) continue;
    if (broken !== undefined && law.name !== "specification") {
      note(judged(law, new NotTested("the welcome can't be read")));
    } else note(await look(law, visit, broken));
  }
  return findings;
}

/** What is wrong with the first welcome, if anything is. */
async function arrive(visit: Visit): Promise<LawBroken | undefined> {
  try {
    await visit.arrive();
    return undefined;
  } catch (error) {
    if (error instanceof LawBroken) return error;
    throw error;
  } finally {
    await visit.end();
  }
}

async function look(law: Law, visit: Visit, broken: LawBroken | undefined): Promise<Finding> {
  if (broken !== undefined) return judged(law, broken);
  try {
    await law.check(visit);
    return judged(law);
  } catch (error) {
    if (error instanceof LawBroken || error instanceof NotTested) return judged(law, error);
    throw error;
  } finally {
    await visit.end();
  }
}

function judged({ name, section, claim }: Law, problem?: LawBroken | NotTested): Finding {
  const verdict =
    problem === undefined ? "holds" : problem instanceof NotTested ? "not-tested" : "broken";
  return { law: name, section, claim, verdict, detail: problem?.message ?? "" };
}
