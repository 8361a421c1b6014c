import type { Env } from "./env.ts";
import { serviceFor } from "./service.ts";

export { LiveSockets } from "./live-sockets.ts";

/** Cloudflare calls `fetch` for each request. */
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname, host } = new URL(request.url);
    if (pathname === "/ws") return isOwnPage(request, host) ? openSocket(request, env) : refused();
    const { program, announcer } = serviceFor(env);
    const client = request.headers.get("cf-connecting-ip");
    const response = await program.fetch(request, client === null ? {} : { client });
    // The visitor gets the answer; the events are published behind it.
    context.waitUntil(announcer.idle());
    return response;
  },
};

/** A browser lets any site open a WebSocket to anywhere, with cookies. */
function isOwnPage({ headers }: Request, host: string): boolean {
  const origin = headers.get("origin") ?? "";
  return headers.get("upgrade") === "websocket" && URL.canParse(origin) && new URL(origin).host === host;
}

function openSocket(request: Request, { LIVE_SOCKETS }: Env): Promise<Response> {
  return LIVE_SOCKETS.get(LIVE_SOCKETS.idFromName("all")).fetch(request);
}

const refused = (): Response =>
  Response.json(
    { error: "WebSockets are for this site's own pages" },
    { status: 403, headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" } },
  );
