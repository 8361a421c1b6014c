import { keys } from "continuum-cache";
import { getCache } from "../../../lib/cache";

export async function GET(request: Request): Promise<Response> {
  const text = new URL(request.url).searchParams.get("q")?.trim() ?? "";
  if (text === "") return Response.json({ error: "Expected a query: /api/search?q=lattice" }, { status: 400 });
  const cache = getCache();
  const results = await cache.getOrSet(keys.query.of(text), () => search(text));
  return Response.json({ results, backend: cache.currentBackend });
}

/** Simulates a slow search. */
async function search(text: string): Promise<readonly string[]> {
  return [`what ${text} means`];
}
