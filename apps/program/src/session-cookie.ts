import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import { parse } from "hono/utils/cookie";
import { isSecure } from "./request-facts.ts";
import { sessionSeconds } from "./sessions.ts";

const name = "continuum_session";

/** The session id that the browser sent, or `undefined` when it sent none, or what was never one. */
export function readSessionId(context: Context): string | undefined {
  return sessionIdIn(context.req.header("cookie") ?? "");
}

/** The same out of a `Cookie` header. */
export function sessionIdIn(cookies: string): string | undefined {
  const id = parse(cookies, name)[name];
  return id !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined;
}

/** Hands out a session id, or renews it: for as long as the session lives, out of reach of scripts and other sites. */
export function writeSessionId(context: Context, id: string): void {
  const secure = isSecure(context);
  setCookie(context, name, id, { path: "/", httpOnly: true, sameSite: "Lax", maxAge: sessionSeconds, secure });
}
