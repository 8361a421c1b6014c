import { type RateLimit, RateLimiter } from "@continuum-cache/ratelimit";
import { rateLimit } from "@continuum-cache/ratelimit/hono";
import { type Cache, isTransportError } from "continuum-cache";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { NONCE, type SecureHeadersVariables, secureHeaders } from "hono/secure-headers";
import { createAnswers } from "./answers.ts";
import { createClientKeys } from "./client-keys.ts";
import { limits } from "./limits.ts";
import { type Announcer, silentAnnouncer } from "./live/announcer.ts";
import type { PrimarySwitch } from "./primary-switch.ts";
import { isSecure, type RequestFacts } from "./request-facts.ts";
import { healthRoute } from "./routes/health.ts";
import { invalidateRoute } from "./routes/invalidate.ts";
import { memoriesRoute } from "./routes/memories.ts";
import { pageRoute } from "./routes/page.ts";
import { primaryRoute } from "./routes/primary.ts";
import { searchRoute } from "./routes/search.ts";
import { sessionRoute } from "./routes/session.ts";
import { statsRoute } from "./routes/stats.ts";
import { createServerFacts } from "./server-facts.ts";
import { createSessions } from "./sessions.ts";
import { noWarmer, type Warmer } from "./warming/warmer.ts";
import { createWatch, type Watch } from "./watch/watch.ts";
import type { Knowledge } from "./wordnet/knowledge.ts";

/** The parts of the program. */
export interface ProgramParts {
  readonly cache: Cache;
  readonly knowledge: Knowledge;
  /** The name of the cache's server, without its address: visitors see it. `undefined` when there is none. */
  readonly server: string | undefined;
  /** Publishes what happens, for the pages that subscribe. @default publishes nothing */
  readonly announcer?: Announcer;
  /** Loads ahead what searches find. @default loads nothing */
  readonly warmer?: Warmer;
  /** The samples over time. A home with timers passes its own and samples it. @default one that requests sample */
  readonly watch?: Watch;
  /** Cuts the server off, when it is the demo's own. @default no switch */
  readonly primary?: PrimarySwitch;
  /**
   * How many processes serve the same visitors: in an outage each allows its part of the limits. Leave it out when the
   * number changes: a process that has never reached the server then refuses in an outage. @default unknown
   */
  readonly processes?: number;
  /** Gets the errors that visitors do not see. @default console.error */
  readonly logError?: (message: string) => void;
}

interface ProgramTypes {
  readonly Bindings: RequestFacts;
  readonly Variables: SecureHeadersVariables;
}

/** The program's own Hono. */
export type Program = Hono<ProgramTypes>;

/** The memory-search service, from a web-standard Request to a Response: it runs in every runtime that has those. */
export function createProgram(parts: ProgramParts): Program {
  const { cache, knowledge, server, announcer = silentAnnouncer, logError = console.error } = parts;
  const { warmer = noWarmer, watch = createWatch(cache), primary, processes } = parts;
  const answers = createAnswers(cache);
  const sessions = createSessions(cache);
  const facts = createServerFacts(cache, warmer);
  const program: Program = new Hono();

  program.use(secureHeaders(headers));
  program.use(async (context, next) => {
    await next();
    // An answer holds data of one visitor, a nonce, or the state of this moment.
    context.header("Cache-Control", "no-store");
    if (isSecure(context)) context.header("Strict-Transport-Security", "max-age=15552000");
  });
  program.use("/api/*", watch.middleware);
  const limiter = new RateLimiter(cache, processes === undefined ? {} : { processes });
  const clientKeyOf = createClientKeys(logError);
  const limited = (limit: RateLimit): MiddlewareHandler<ProgramTypes> =>
    rateLimit<Context<ProgramTypes>>(limiter, { ...limit, key: ({ env }) => clientKeyOf(env?.client) });
  program.use("/api/search", limited(limits.search));
  program.use("/api/memories/*", limited(limits.read));
  program.use("/api/session", limited(limits.read));
  program.use("/api/invalidate", limited(limits.invalidate));
  program.route("/", pageRoute());
  program.route("/api/search", searchRoute({ cache, answers, sessions, knowledge, announcer, warmer, logError }));
  program.route("/api/memories", memoriesRoute({ cache, answers, knowledge, announcer }));
  program.route("/api/session", sessionRoute({ cache, sessions, announcer }));
  program.route("/api/stats", statsRoute({ cache, facts, knowledge, server, watch, primary }));
  program.route("/api/invalidate", invalidateRoute({ cache, announcer }));
  program.route("/api/primary", primaryRoute(primary));
  program.route("/healthz", healthRoute({ cache }));

  program.notFound((context) =>
    context.json({ error: `Nothing answers ${context.req.method} ${context.req.path}: the page is at /` }, 404),
  );
  program.onError((error, context) => {
    logError(`${context.req.method} ${context.req.path}: ${error.message}`);
    return isTransportError(error)
      ? context.json({ error: "The cache gives no answer: try again soon" }, 503)
      : context.json({ error: "That failed, and it is our fault: the server's log says why" }, 500);
  });
  return program;
}

/** The page's own script and style and nothing else; no other site may frame or read it. */
const headers: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: [NONCE],
    styleSrc: [NONCE],
    connectSrc: ["'self'"],
    imgSrc: ["data:"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  crossOriginOpenerPolicy: "same-origin",
  crossOriginResourcePolicy: "same-origin",
  referrerPolicy: "no-referrer",
  xFrameOptions: "DENY",
  // The handler above sets it for connections with TLS.
  strictTransportSecurity: false,
};
