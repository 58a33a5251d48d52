/** Items on offer, each with an id from 0. */
export const itemCount = 1000;

/** An item, a user: a pair of numbers for each topic, one behind the other. */
export const topicCount = 10;
export const topicWidth = 2;
export const itemWidth = topicCount * topicWidth;

/** Items that a user is shown at once; rank 0 stands on top. */
export const slateLength = 10;

/** Turns of an episode. */
export const episodeTurns = 100;
