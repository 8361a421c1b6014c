import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from "aws-lambda";
import { type HttpEvent, isVersion2 } from "./http-event.ts";

/**
 * Makes the web-standard Request that an event describes.
 *
 * @throws TypeError when the host, the method or a header is not valid in HTTP.
 */
export function requestOf(event: HttpEvent): Request {
  const { method, target, headers } = isVersion2(event) ? partsOf2(event) : partsOf1(event);
  const host = headers.get("host") ?? event.requestContext.domainName ?? "localhost";
  // A slash or an @ in the host would change the path of the request.
  if (!/^[\w.-]+(:\d{1,5})?$/.test(host)) throw new TypeError("Expected the Host header to be a name and a port");
  const hasBody = event.body !== null && event.body !== undefined && method !== "GET" && method !== "HEAD";
  return new Request(`https://${host}${target}`, {
    method,
    headers,
    ...(hasBody && { body: bodyOf(event.body ?? "", event.isBase64Encoded) }),
  });
}

interface Parts {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
}

function partsOf2({ requestContext, rawPath, rawQueryString, headers, cookies }: APIGatewayProxyEventV2): Parts {
  const { stage, http } = requestContext;
  // The path of a stage that has a name begins with that name.
  const prefix = `/${stage}`;
  const isPrefixed = stage !== "$default" && (rawPath === prefix || rawPath.startsWith(`${prefix}/`));
  const path = isPrefixed ? rawPath.slice(prefix.length) || "/" : rawPath;
  const received = headersOf(Object.entries(headers ?? {}));
  if (cookies && cookies.length > 0) received.set("cookie", cookies.join("; "));
  return { method: http.method, target: rawQueryString === "" ? path : `${path}?${rawQueryString}`, headers: received };
}

function partsOf1(event: APIGatewayProxyEvent): Parts {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) query.append(name, value);
  }
  const headers = headersOf(
    Object.entries(event.multiValueHeaders ?? {}).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    ),
  );
  const text = query.toString();
  return { method: event.httpMethod, target: text === "" ? event.path : `${event.path}?${text}`, headers };
}

function headersOf(entries: readonly (readonly [string, string | undefined])[]): Headers {
  const headers = new Headers();
  for (const [name, value] of entries) if (value !== undefined) headers.append(name, value);
  return headers;
}

const bodyOf = (body: string, isBase64: boolean): string | Uint8Array<ArrayBuffer> =>
  isBase64 ? new Uint8Array(Buffer.from(body, "base64")) : body;
