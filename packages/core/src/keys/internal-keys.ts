/** What the keys begin with that this library makes for itself. */
export const internalPrefix = "continuum-cache:";

/** Whether a key, with its prefix, is one that the library keeps for itself. */
export const isInternalKey = (fullKey: string): boolean => fullKey.startsWith(internalPrefix);
