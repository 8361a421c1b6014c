import { waitUntil } from "cloudflare:workers";
import { type Announcer, createAnnouncer, createProgram, loadDigest, type Program } from "@continuum-cache/program";
import digest from "@continuum-cache/program/digest.txt";
import { UpstashCache } from "continuum-cache";
import type { Env } from "./env.ts";

/** The objects that all requests of an isolate share; none of them belongs to one request. */
export interface Service {
  readonly program: Program;
  readonly announcer: Announcer;
}

let service: Service | undefined;

/**
 * Creates the service with the first request, since requests bring the environment.
 *
 * @throws ConfigError that names the variable to set.
 */
export function serviceFor(env: Env): Service {
  service ??= createService(env);
  return service;
}

function createService(env: Env): Service {
  const cache = new UpstashCache({ env, mode: "rest", timeout: "2s", waitUntil });
  const announcer = createAnnouncer(cache.pubsub(), (message) => console.error(message));
  const program = createProgram({
    cache,
    knowledge: loadDigest(digest),
    server: "Upstash over REST",
    announcer,
  });
  return { program, announcer };
}
