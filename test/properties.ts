import fc from "fast-check";

/**
 * fast-check with a seed that is the same in each run, so that whoever breaks a property sees it and nobody else does.
 * `FIRSTSOLO_PROPERTY_SEED=random` (or a number) looks elsewhere; what it finds becomes a test of its own.
 */
const asked = process.env.FIRSTSOLO_PROPERTY_SEED ?? "20261126";
if (asked !== "random") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(asked) });

export default fc;
