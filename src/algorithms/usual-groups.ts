/** What a student reads that is not told: what there is of these, in this order. */
export const usualGroups = [["policy"], ["camera", "proprioception"]] as const;
