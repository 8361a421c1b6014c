import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON, or `undefined` when it is none. */
  readonly json: unknown;
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** `undefined` sends none. */
  readonly token?: string | undefined;
}

/** Sends a request exactly as written: adds no header, and does not normalize the path. */
export function send(url: string, path: string, options: RawRequest = {}): Promise<RawAnswer> {
  const { method = options.body === undefined ? "GET" : "POST", headers = {}, body } = options;
  const token = "token" in options ? options.token : "local";
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: hostname,
        port,
        path,
        method,
        agent: false,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: bytes,
            json: parsed(bytes),
          });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** A command as the documented JSON body. */
export const post = (url: string, path: string, value: unknown, options: RawRequest = {}): Promise<RawAnswer> =>
  send(url, path, { method: "POST", body: JSON.stringify(value), ...options });

export const base64 = { "upstash-encoding": "base64" };
export const resp2 = { "upstash-response-format": "resp2" };
export const b64 = (text: string | Uint8Array): string => Buffer.from(text as string).toString("base64");

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // Health text, RESP and pages: the test looks at the bytes.
    return undefined;
  }
}
