/** Loads the code that a cache needs only for some calls. */
export const loadFeatures = (): Promise<typeof import("./features.ts")> => import("./features.ts");
