import { type Cache, isTransportError } from "continuum-cache";
import { Hono } from "hono";
import { NONCE, type SecureHeadersVariables, secureHeaders } from "hono/secure-headers";
import { createAnswers } from "./answers.ts";
import { type Announcer, silentAnnouncer } from "./live/announcer.ts";
import { healthRoute } from "./routes/health.ts";
import { invalidateRoute } from "./routes/invalidate.ts";
import { memoriesRoute } from "./routes/memories.ts";
import { pageRoute } from "./routes/page.ts";
import { searchRoute } from "./routes/search.ts";
import { sessionRoute } from "./routes/session.ts";
import { statsRoute } from "./routes/stats.ts";
import { createServerFacts } from "./server-facts.ts";
import { createSessions } from "./sessions.ts";
import type { Knowledge } from "./wordnet/knowledge.ts";

/** What the program is made of. */
export interface ProgramParts {
  readonly cache: Cache;
  readonly knowledge: Knowledge;
  /** The cache's server, for people; `undefined` where it has none. */
  readonly server: string | undefined;
  /** Is told what happens, for those who watch. @default nobody */
  readonly announcer?: Announcer;
  /** Where errors are told that visitors are not shown. @default console.error */
  readonly logError?: (message: string) => void;
}

/** The program's own Hono. */
export type Program = Hono<{ Variables: SecureHeadersVariables }>;

/** The memory-search service: from a web-standard Request to a Response, so that it runs wherever there are such. */
export function createProgram(parts: ProgramParts): Program {
  const { cache, knowledge, server, announcer = silentAnnouncer, logError = console.error } = parts;
  const answers = createAnswers(cache);
  const sessions = createSessions(cache);
  const facts = createServerFacts(cache);
  const program: Program = new Hono();

  program.use(secureHeaders(headers));
  program.use("/api/*", async (context, next) => {
    await next();
    context.header("Cache-Control", "no-store");
  });
  program.route("/", pageRoute());
  program.route("/api/search", searchRoute({ cache, answers, sessions, knowledge, announcer, logError }));
  program.route("/api/memories", memoriesRoute({ cache, answers, knowledge, announcer }));
  program.route("/api/session", sessionRoute({ cache, sessions, announcer }));
  program.route("/api/stats", statsRoute({ cache, facts, knowledge, server }));
  program.route("/api/invalidate", invalidateRoute({ cache, announcer }));
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
  // Whether there is TLS is decided in front of this program.
  strictTransportSecurity: false,
};
