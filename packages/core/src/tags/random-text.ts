/** A text that no one makes twice: 96 random bits. */
export function randomText(): string {
  const words = crypto.getRandomValues(new Uint32Array(3));
  return [...words].map((word) => word.toString(36).padStart(7, "0")).join("");
}
