/**
 * The channel of one session. Its name is made from the session's secret id in a way that can't be undone: who learns the
 * name, from Redis or from a log, has learned no session.
 */
export async function sessionChannel(sessionId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`session channel ${sessionId}`));
  const hex = [...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `ws:session:${hex.join("")}`;
}
