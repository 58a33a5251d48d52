/** What everybody sees: the last slate's ids, then its clicks. */
export const SEEN = "policy";
/** What nobody sees. */
export const USER = "user";
/** The latest turns as codes: made for learning, see `codesOf`. */
export const HISTORY = "history";
