/** What `work` gives. @throws Error `complaint within … s` when it takes longer; the work itself goes on. */
export async function inTime<T>(
  work: T | PromiseLike<T>,
  seconds: number,
  complaint: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`${complaint} within ${seconds} s`));
    timer = setTimeout(late, seconds * 1000);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
