import { Hono } from "hono";
import type { SecureHeadersVariables } from "hono/secure-headers";
import { pageHtml } from "../page-html.ts";

/** GET: the page. */
export function pageRoute(): Hono<{ Variables: SecureHeadersVariables }> {
  return new Hono<{ Variables: SecureHeadersVariables }>().get("/", (context) =>
    context.html(pageHtml(context.get("secureHeadersNonce") ?? "")),
  );
}
