/** The part of Cloudflare's platform that the Worker of this test uses. */
declare module "cloudflare:workers" {
  export function waitUntil(work: Promise<unknown>): void;
}
