/** Whatever nobody caught: a flight is landed by it, anything else is ended. */

/** Milliseconds for the landing: an error may have stopped what would land. */
const patience = 120_000;

let landing: ((error: unknown) => boolean) | undefined;

/** While `fly` is under way `land` is asked first; it says whether there is something to land. */
export async function landedBy<T>(
  land: (error: unknown) => boolean,
  fly: () => Promise<T>,
): Promise<T> {
  landing = land;
  try {
    return await fly();
  } finally {
    landing = undefined;
  }
}

/** What `command` ends with, or with the first error that nobody caught; the process hears of none meanwhile. */
export async function orUncaught<T>(command: () => Promise<T>): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = (error) => {
      if (landing?.(error)) late ??= setTimeout(reject, patience, error);
      else reject(error);
    };
  });
  process.on("uncaughtException", fail).on("unhandledRejection", fail);
  try {
    return await Promise.race([command(), failed]);
  } finally {
    clearTimeout(late);
    process.off("uncaughtException", fail).off("unhandledRejection", fail);
  }
}
