import { type Closable, closing as closingAfter } from "@continuum-cache/conformance/servers";
import { afterEach } from "vitest";

/** Registers whatever a test opens, to be closed after it. */
export const closing = (): (<T extends Closable>(opened: T) => T) => closingAfter(afterEach);
