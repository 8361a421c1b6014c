// Express comes without types. This is as much of it as the tests use.
declare module "express" {
  import type { IncomingHttpHeaders, Server, ServerResponse } from "node:http";

  export interface Request {
    readonly ip?: string | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly app: Application;
    readonly query: Record<string, unknown>;
    readonly method: string;
    readonly path: string;
  }
  export interface Response extends ServerResponse {
    locals: Record<string, unknown>;
    json(body: unknown): this;
    send(body: unknown): this;
    status(code: number): this;
    redirect(to: string): void;
  }
  export type Next = (error?: unknown) => void;
  export type Handler = (request: Request, response: Response, next: Next) => unknown;
  export type ErrorHandler = (error: unknown, request: Request, response: Response, next: Next) => unknown;
  export interface Application {
    get(setting: string): unknown;
    get(path: string, ...handlers: Handler[]): this;
    set(setting: string, value: unknown): this;
    use(...handlers: Handler[]): this;
    use(handler: ErrorHandler): this;
    listen(port: number, host: string, listening: () => void): Server;
    listen(path: string, listening: () => void): Server;
  }
  export default function express(): Application;
}
