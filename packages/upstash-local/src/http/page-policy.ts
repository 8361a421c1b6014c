import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Decides which web pages may send requests, and read the answers. */
export interface PagePolicy {
  /** The error for a request that is refused before its body is read; `undefined` when the request is allowed. */
  refusalOf(request: IncomingMessage): string | undefined;
  /** The headers that let the page that has sent the request read the answer. */
  headersFor(request: IncomingMessage): Readonly<Record<string, string>>;
}

/** The pages and host names that are allowed. */
export interface PageRules {
  /** Origins such as `https://app.example`, or `*` for every page. */
  readonly cors: readonly string[];
  /** Names under which the server is reached, besides those of this machine. */
  readonly allowedHosts: readonly string[];
}

const allowedHeaders = [
  "authorization",
  "content-type",
  "cache-control",
  "pragma",
  "upstash-encoding",
  "upstash-response-format",
  "upstash-sync-token",
  "upstash-telemetry-runtime",
  "upstash-telemetry-platform",
  "upstash-telemetry-sdk",
  "upstash-telemetry-retry",
];

export const allowedMethods: readonly string[] = ["GET", "HEAD", "POST", "PUT"];

/** Further headers of the answer to a preflight. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-methods": allowedMethods.join(", "),
  "access-control-allow-headers": allowedHeaders.join(", "),
  "access-control-allow-private-network": "true",
  "access-control-max-age": "86400",
};

/** Whether a browser asks for permission to send the real request. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && "access-control-request-method" in headers;
}

/**
 * A page of any site can make the browser of its visitor send requests to this machine, by an image, a form, `fetch` or
 * a name of its own that leads here (DNS rebinding). A program's requests carry none of the headers that tell of a
 * page.
 */
export function createPagePolicy({ cors, allowedHosts }: PageRules): PagePolicy {
  const everyPage = cors.includes("*");
  const isAllowed = (origin: string): boolean => everyPage || cors.includes(origin);

  return {
    refusalOf({ headers }) {
      const host = hostnameOf(headers.host ?? "");
      if (!isOwnName(host) && !allowedHosts.includes(host)) return foreignHost(host);
      const page = pageBehind(headers);
      return page === undefined || isAllowed(page) ? undefined : foreignPage(page);
    },
    headersFor({ headers: { origin } }) {
      if (cors.length === 0) return {};
      if (origin === undefined || !isAllowed(origin)) return { vary: "origin" };
      return {
        vary: "origin",
        "access-control-allow-origin": everyPage ? "*" : origin,
        "access-control-expose-headers": "upstash-sync-token, retry-after",
      };
    },
  };
}

/**
 * The origin of the page that has caused a request, `unknown` where its browser does not name it; `undefined` when none
 * has.
 */
function pageBehind(headers: IncomingHttpHeaders): string | undefined {
  const { origin, referer, host } = headers;
  if (origin !== undefined) return origin;
  const site = headers["sec-fetch-site"];
  const fromElsewhere = site !== undefined && site !== "none" && site !== "same-origin";
  if (referer === undefined) return fromElsewhere ? "unknown" : undefined;
  const page = URL.canParse(referer) ? new URL(referer) : undefined;
  return page?.host === host && !fromElsewhere ? undefined : (page?.origin ?? "unknown");
}

/** The name without the port, in lower case. */
const hostnameOf = (host: string): string => /^(\[[^\]]*\]|[^:]*)/.exec(host.toLowerCase())?.[0] ?? "";

/**
 * Names that no foreign site can have made lead here: addresses, `localhost`, and names without a dot, which a network
 * knows (a container's) and the DNS of a site does not. A request without any comes from no browser.
 */
function isOwnName(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  return !host.includes(".") || isIP(address) !== 0 || host.endsWith(".localhost");
}

const foreignHost = (host: string): string =>
  `ERR upstash-local is not known as ${JSON.stringify(host.slice(0, 100))}: use its address, or allow the name ` +
  "(`allowedHosts`, --allow-host)";

const foreignPage = (page: string): string =>
  `ERR upstash-local refuses requests of web pages (this one: ${page.slice(0, 100)}): allow the page's origin ` +
  "(`cors`, --cors)";
