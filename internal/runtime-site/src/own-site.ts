import { afterAll } from "vitest";
import { type Deed, deedOf, type Site } from "./site.ts";
import { startSite } from "./start-site.ts";

const running = await startSite();
afterAll(() => running.close());

/** Servers of this test file alone: in vitest. */
export const site: Site = { ...running.site, keepsSockets: true };

/** Does something to the servers, and resolves when it is done. */
export const control = (deed: Deed): Promise<void> => deedOf(site, deed);
