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
