/** Makes tags that no other message has: a random mark of this process, and a count. */
export function createTags(): () => string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const own = [...random].map((part) => part.toString(36)).join("");
  let count = 0;
  return () => `${own}-${(count++).toString(36)}`;
}
