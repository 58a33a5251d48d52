import { environmentNames, makeEnvironment } from "./python-env.ts";

/** Before all tests. What can't be made fails the tests that need it, with the reason, and no others. */
export default async function setup(): Promise<void> {
  await Promise.all(environmentNames.map(makeEnvironment));
}
