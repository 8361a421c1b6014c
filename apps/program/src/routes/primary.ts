import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { PrimaryAnswer } from "../api.ts";
import type { PrimarySwitch } from "../primary-switch.ts";

const expected = 'Expected {"cut": true} or {"cut": false}';

/** PUT {"cut": true}: cuts the demo's own server off, or restores it. A real server can't be cut off. */
export function primaryRoute(primary: PrimarySwitch | undefined): Hono {
  const limited = bodyLimit({ maxSize: 1_024, onError: (context) => context.json({ error: expected }, 413) });
  return new Hono().put("/", limited, async (context) => {
    if (!primary) return context.json({ error: "The server is not this demo's own, so it can't be cut off here" }, 409);
    const body: unknown = await context.req.json().catch(() => undefined);
    const cut = typeof body === "object" && body !== null && "cut" in body ? body.cut : undefined;
    if (typeof cut !== "boolean") return context.json({ error: expected }, 400);
    if (cut) primary.cut();
    else primary.restore();
    return context.json<PrimaryAnswer>({ isCut: primary.isCut });
  });
}
