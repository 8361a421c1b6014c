/** Makes marks that no other message has: this process's own, and a count. */
export function createTags(): () => string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const own = [...random].map((part) => part.toString(36)).join("");
  let count = 0;
  return () => `${own}-${(count++).toString(36)}`;
}
