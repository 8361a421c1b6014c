import type { IncomingMessage } from "node:http";

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

/** Every answer may be read by any page: what protects the data is the token, and no cookie is involved. */
export const corsHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "upstash-sync-token, retry-after",
};

export const preflightHeaders: Readonly<Record<string, string>> = {
  ...corsHeaders,
  "access-control-allow-methods": allowedMethods.join(", "),
  "access-control-allow-headers": allowedHeaders.join(", "),
  "access-control-max-age": "86400",
};

/** A browser asks whether it may send the real request. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && "access-control-request-method" in headers;
}
