/** Settings of flights from which nobody learns: a fleet of one is enough where one policy flies. */
export const nobodyLearns = ["evaluation.env_share=0", "evaluation.final_episodes=0"] as const;
