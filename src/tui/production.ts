/** React's development build takes three times as long for a frame. It is chosen when React is loaded: import this first. */
process.env.NODE_ENV ??= "production";
