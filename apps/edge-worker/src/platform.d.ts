// The part of Cloudflare's interfaces that the Worker uses.

declare module "*.txt" {
  const text: string;
  export default text;
}

declare module "cloudflare:workers" {
  export function waitUntil(work: Promise<unknown>): void;
}

interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void;
}

interface DurableObjectNamespace {
  idFromName(name: string): object;
  get(id: object): { fetch(request: Request): Promise<Response> };
}

interface WorkerSocket extends WebSocket {
  accept(): void;
}

declare const WebSocketPair: new () => { readonly 0: WebSocket; readonly 1: WorkerSocket };

interface ResponseInit {
  webSocket?: WebSocket;
}
