/**
 * How good the student is in units of its teacher: the ratio of their returns, 1 where they are equal.
 *
 * A return may well be negative (a reward that is all penalties). There the plain ratio would call the
 * worse of two students the better one; counted as the distance from the teacher in units of the size
 * of its return it grows with the student's return everywhere, and is the plain ratio for a teacher above 0.
 *
 * NaN or infinite where there is nothing to compare: an unknown return, or a teacher at exactly 0.
 */
export function studentVsTeacher(student: number, teacher: number): number {
  return teacher > 0 ? student / teacher : 1 + (student - teacher) / Math.abs(teacher);
}
