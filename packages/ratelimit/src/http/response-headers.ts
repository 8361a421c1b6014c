import type { Limited } from "./request-limit-options.ts";

/** Whether a field is a list of strings, as in draft-10: such a list may grow. */
const isList = (name: string, value: string): boolean =>
  (name === "ratelimit" || name === "ratelimit-policy") && value.startsWith('"');

/**
 * The headers to set so that a response shows the limits too. Headers that are present stay. Where several limiters
 * follow one another, their lists are joined.
 */
export function addedFields(
  fields: Headers,
  presentValue: (name: string) => string | null | undefined,
): readonly (readonly [name: string, value: string])[] {
  const added: [string, string][] = [];
  for (const [name, value] of fields) {
    const present = presentValue(name);
    if (present === null || present === undefined) added.push([name, value]);
    else if (isList(name, present) && isList(name, value) && !present.includes(value))
      added.push([name, `${present}, ${value}`]);
  }
  return added;
}

/** The response to a refused request, unless the application has its own. */
export function refusalOf({ problem }: Limited): Response {
  const headers = { "Content-Type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/**
 * Adds headers to a response. Returns a copy: the headers of a redirect or of a fetched response can't be changed, and
 * a response without a body may be a constant that serves many requests.
 */
export function withFields(answer: Response, fields: Headers): Response {
  if (!isCopyable(answer)) return answer;
  const copy = new Response(answer.body, answer);
  for (const [name, value] of addedFields(fields, (name) => answer.headers.get(name))) copy.headers.set(name, value);
  return copy;
}

/** Whether a response can be copied: no error response can, and in most runtimes none that switches protocols. */
export const isCopyable = ({ status }: Response): boolean => status >= 200;
