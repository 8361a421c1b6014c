import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import { parse } from "hono/utils/cookie";
import { isSecure } from "./request-facts.ts";
import { sessionSeconds } from "./sessions.ts";

const name = "continuum_session";

/** The session id that the browser sent, or `undefined` when it sent none or a text that can be none. */
export function readSessionId(context: Context): string | undefined {
  return sessionIdIn(context.req.header("cookie") ?? "");
}

/** Finds the same in a `Cookie` header. */
export function sessionIdIn(cookies: string): string | undefined {
  const id = parse(cookies, name)[name];
  return id !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined;
}

/** Sets or renews the cookie with a session id for the life of the session; scripts and other sites can't read it. */
export function writeSessionId(context: Context, id: string): void {
  const secure = isSecure(context);
  setCookie(context, name, id, { path: "/", httpOnly: true, sameSite: "Lax", maxAge: sessionSeconds, secure });
}
