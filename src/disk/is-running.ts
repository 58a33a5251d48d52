/** Whether a process of this machine has that number; another user's counts as well. */
export function isRunning(pid: number): boolean {
  // 0 and negative numbers would speak to whole groups of processes.
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
