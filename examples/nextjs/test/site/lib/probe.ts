import { FederationQueue } from "continuum-cache";
import { getCache, getLimiter } from "./cache";

/** Reads one value, which a framework that caches requests to Upstash would answer from its own cache. */
export async function GET(): Promise<Response> {
  const cache = getCache();
  const value = await cache.get("probe");
  return Response.json({ value, backend: cache.currentBackend });
}

/** Makes the calls of an application, and answers what each returned. */
export async function POST(request: Request): Promise<Response> {
  const { name } = (await request.json()) as { name: string };
  const cache = getCache();
  const key = (part: string): string => `${name}:${part}`;
  const queue = new FederationQueue<string>(cache, { prefix: name });
  return Response.json({
    set: await cache.set(key("set"), { n: 1 }, { ttl: "1m" }),
    get: await cache.get(key("set")),
    setMany: await cache.setMany({ [key("a")]: 1, [key("b")]: "two" }),
    getMany: await cache.getMany([key("a"), key("none"), key("b")]),
    loads: await Promise.all([1, 2, 3].map((value) => cache.getOrSet(key("load"), async () => value))),
    increments: await Promise.all([1, 2, 3].map(() => cache.increment(key("count")))),
    transaction: await cache.transaction().set(key("t"), 1).increment(key("t2")).execute(),
    deletePattern: await cache.deletePattern(key("[ab]")),
    delete: await cache.delete(key("set")),
    publish: await cache.pubsub().publish(key("channel"), "hello", { replay: { count: 10, age: "1m" } }),
    push: await queue.push("job", { id: "one" }),
    // A queue is in Redis: it has no depth while Redis is away.
    depth: await queue.stats().then(
      ({ depth }) => depth,
      () => null,
    ),
    decisions: await Promise.all([1, 2, 3].map(() => decide(name))),
    backend: cache.currentBackend,
    pending: cache.pending,
  });
}

async function decide(id: string): Promise<object> {
  const { allowed, source } = await getLimiter().limit(id, { scope: "probe", window: "1m", limit: 2 });
  return { allowed, source };
}
