import { describeSubscription, describeTransport } from "@continuum-cache/conformance";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterAll, describe, it } from "vitest";

const runner = { describe, it, afterAll };

describeTransport("memory", () => memoryTransport(), runner);
describeSubscription("memory", () => memoryTransport(), runner);
