import type { Limited } from "./request-limit-options.ts";

/** A list of strings, as draft-10 writes the fields: it may grow. */
const isList = (name: string, value: string): boolean =>
  (name === "ratelimit" || name === "ratelimit-policy") && value.startsWith('"');

/**
 * What is to be set so that an answer tells of the limits too. What it says already stays; where several limiters
 * follow one another, their lists are joined.
 */
export function addedFields(
  fields: Headers,
  said: (name: string) => string | null | undefined,
): readonly (readonly [name: string, value: string])[] {
  const added: [string, string][] = [];
  for (const [name, value] of fields) {
    const present = said(name);
    if (present === null || present === undefined) added.push([name, value]);
    else if (isList(name, present) && isList(name, value) && !present.includes(value))
      added.push([name, `${present}, ${value}`]);
  }
  return added;
}

/** The answer to a refused request, unless the application has one of its own. */
export function refusalOf({ problem }: Limited): Response {
  const headers = { "Content-Type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/**
 * The same answer, which also tells of the limits. It is a copy: the headers of a redirect or of a fetched answer can't
 * be changed, and an answer without a body may be a constant that serves many requests.
 */
export function withFields(answer: Response, fields: Headers): Response {
  if (!isCopyable(answer)) return answer;
  const copy = new Response(answer.body, answer);
  for (const [name, value] of addedFields(fields, (name) => answer.headers.get(name))) copy.headers.set(name, value);
  return copy;
}

/** An answer that is an error can't be copied, nor in most runtimes one that switches protocols. */
export const isCopyable = ({ status }: Response): boolean => status >= 200;
