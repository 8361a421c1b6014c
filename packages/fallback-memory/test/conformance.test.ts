import { describeSubscription, describeTransport } from "@continuum-cache/conformance";
import { batched } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterAll, describe, it } from "vitest";

const runner = { describe, it, afterAll };

describeTransport("memory", () => memoryTransport(), runner);
describeSubscription("memory", () => memoryTransport(), { ...runner, growing: true });
// Trips that travel together are answered as if they had not.
describeTransport("memory, batched", () => batched(memoryTransport()), runner);
