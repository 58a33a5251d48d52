/** The server did something else than the protocol says. */
export class LawBroken extends Error {
  override readonly name = "LawBroken";
}

/** This server gives no occasion to look: it does not claim the capability, or nothing happened. */
export class NotTested extends Error {
  override readonly name = "NotTested";
}

/** @throws LawBroken unless `holds` */
export function must(holds: boolean, seen: string): asserts holds {
  if (!holds) throw new LawBroken(seen);
}

/** @throws NotTested unless `possible` */
export function needs(possible: boolean, why: string): asserts possible {
  if (!possible) throw new NotTested(why);
}
