import type { BareRunner } from "./bare-runner.ts";
import type { Site } from "./site.ts";

/** Registers the tests of one package, against the servers of a site. */
export type Suite = (runner: BareRunner, site: Site) => void;
