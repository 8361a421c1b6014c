/**
 * The channel of one session. Its name is a hash of the session's secret id: a reader of Redis or of a log learns the
 * name of the channel and no session.
 */
export async function sessionChannel(sessionId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`session channel ${sessionId}`));
  const hex = [...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `ws:session:${hex.join("")}`;
}
