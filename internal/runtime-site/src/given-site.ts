import { type Deed, deedOf, type Site } from "./site.ts";

/** The servers that the driver has started: in a runtime without vitest, which `tools/runtimes` drives. */
export const site: Site = JSON.parse((globalThis as unknown as { SITE: string }).SITE);

export const control = (deed: Deed): Promise<void> => deedOf(site, deed);
