/**
 * Called by modules with hooks of their own, which vitest registers for the first file alone that imports them.
 *
 * @throws in a process that several files share (`vitest.config.ts`)
 */
export function needsOwnProcess(url: string): void {
  if (process.env.FIRSTSOLO_TESTS_SHARE !== "1") return;
  const name = url.split("/test/").at(-1);
  throw new Error(
    `test/${name} cleans up after one file only, and this process runs several: ` +
      "name the file that imports it under `own` in vitest.config.ts",
  );
}
