import { createAnnouncer, createProgram, type Knowledge } from "@continuum-cache/program";
import { type Environment, UpstashCache } from "continuum-cache";
import { createBackground } from "./background.ts";
import type { Answering } from "./handler.ts";

/**
 * Creates everything that outlives an invocation, once per execution environment and outside the handler. The function
 * never closes it: Lambda freezes the environment between invocations, and ends it without notice.
 *
 * @throws ConfigError that names the variable to set.
 */
export function createService(env: Environment, knowledge: Knowledge): Answering {
  const logError = (message: string): void => console.error(message);
  const cache = new UpstashCache({ env, timeout: "2s" });
  const announcer = createAnnouncer(cache.pubsub(), logError);
  const background = createBackground(logError);
  const program = createProgram({ cache, knowledge, server: "the database of the environment", announcer, logError });
  return {
    background,
    async fetch(request, client) {
      const response = await program.fetch(request, { client });
      background.waitUntil(announcer.idle());
      return response;
    },
  };
}
