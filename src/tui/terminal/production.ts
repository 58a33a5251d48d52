/**
 * React's development build takes twice as long for a frame. Which build it is, is decided when React is loaded, and
 * it must be the same for all of its packages: whoever opens a screen imports this before anything else.
 */
process.env.NODE_ENV ??= "production";
