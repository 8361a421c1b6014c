import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The commands that a token allows. */
export type Access = "standard" | "read-only";

/** The tokens that are accepted. */
export interface Tokens {
  readonly token: string;
  readonly readOnlyToken?: string | undefined;
}

/** Finds out what a request may do. */
export interface Authorization {
  /** `undefined` when the token is missing or wrong. The header wins over the query. */
  accessOf(headers: IncomingHttpHeaders, queryToken: string | undefined): Access | undefined;
  /** What this token allows; `undefined` when it is wrong. */
  accessOfToken(token: string): Access | undefined;
}

/** Hashes have one length, so the time of a comparison shows neither a token's length nor how much of it was right. */
const digest = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

export function createAuthorization({ token, readOnlyToken }: Tokens): Authorization {
  const standard = digest(token);
  const readOnly = readOnlyToken === undefined ? undefined : digest(readOnlyToken);

  const accessOfToken = (given: string): Access | undefined => {
    const hash = digest(given);
    const isStandard = timingSafeEqual(hash, standard);
    const isReadOnly = readOnly !== undefined && timingSafeEqual(hash, readOnly);
    return isStandard ? "standard" : isReadOnly ? "read-only" : undefined;
  };

  return {
    accessOfToken,
    accessOf({ authorization }, queryToken) {
      if (authorization === undefined) return queryToken === undefined ? undefined : accessOfToken(queryToken);
      // Node hands header bytes out as Latin-1.
      const bearer = /^Bearer (.*)$/i.exec(Buffer.from(authorization, "latin1").toString("utf8"))?.[1];
      return bearer === undefined ? undefined : accessOfToken(bearer);
    },
  };
}
