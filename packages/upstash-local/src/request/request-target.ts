import type { Argument } from "@continuum-cache/core";
import { RequestError } from "../errors/request-error.ts";
import { argumentText, fromBytes } from "../protocol/argument-text.ts";

/** The parsed URL of a request. */
export interface RequestTarget {
  /** The path's segments, decoded; empty for `/`. An empty segment between or after slashes is an empty argument. */
  readonly segments: readonly Argument[];
  /** The query as arguments: `EX=60` is two, a bare `NX` is one. Without `_token`. */
  readonly queryArguments: readonly Argument[];
  /** The first `_token` of the query. */
  readonly token: string | undefined;
}

/** @throws RequestError when a percent sign has no two hexadecimal digits behind it. */
export function parseTarget(url: string): RequestTarget {
  // A request line may hold a whole URL. `new URL` would drop `.` and `..`, which may be keys.
  const target = url.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const pairs = mark < 0 ? [] : target.slice(mark + 1).split("&");
  const tokens: string[] = [];
  const queryArguments: Argument[] = [];
  for (const pair of pairs.filter((text) => text !== "")) {
    const [name = "", ...rest] = pair.split("=");
    const key = decode(name);
    if (key === "_token") tokens.push(argumentText(decode(rest.join("="))));
    else queryArguments.push(key, ...(rest.length > 0 ? [decode(rest.join("="))] : []));
  }
  const segments = path === "/" || path === "" ? [] : path.replace(/^\//, "").split("/").map(decode);
  return { segments, queryArguments, token: tokens[0] };
}

/** Escaped bytes that are no text stay bytes. A plus stays a plus. */
function decode(text: string): string | Uint8Array {
  // Node hands the bytes of a request line out as Latin-1.
  const bytes = Buffer.from(text, "latin1");
  if (!text.includes("%")) return fromBytes(bytes);
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new RequestError(400, "ERR malformed percent-encoding in the URL");
  const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return fromBytes(Buffer.from(decoded, "latin1"));
}
