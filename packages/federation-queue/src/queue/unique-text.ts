let prefix: string | undefined;
let count = 0;

/** A text that nobody else has anywhere: what is random is drawn once for each process, since there is one for each message. */
export function uniqueText(): string {
  // Not before it is needed: Workers draw nothing outside of a request.
  prefix ??= crypto.randomUUID().replaceAll("-", "");
  return `${prefix}-${(count++).toString(36)}`;
}
