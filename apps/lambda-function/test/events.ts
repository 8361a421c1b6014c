/** Events as the gateways write them, with the fields that they always have. */
interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly stage?: string;
}

const host = "abc.lambda-url.eu-central-1.on.aws";

/** Of a Function URL or an HTTP API: payload format 2.0. */
export function version2(asked: Asked = {}): Record<string, unknown> {
  const { method = "GET", path = "/", query = "", headers = {}, cookies, body, stage = "$default" } = asked;
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: stage === "$default" ? path : `/${stage}${path}`,
    rawQueryString: query,
    ...(cookies && { cookies }),
    headers: { host, "user-agent": "test", ...headers },
    requestContext: {
      accountId: "anonymous",
      apiId: "abc",
      domainName: host,
      domainPrefix: "abc",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "203.0.113.7", userAgent: "test" },
      requestId: "1",
      routeKey: "$default",
      stage,
      time: "22/Nov/2026:00:00:00 +0000",
      timeEpoch: 1_795_305_600_000,
    },
    ...(body !== undefined && { body }),
    isBase64Encoded: asked.isBase64Encoded ?? false,
  };
}

/** Of a REST API: payload format 1.0. */
export function version1(asked: Asked = {}): Record<string, unknown> {
  const { method = "GET", path = "/", query = "", headers = {}, cookies = [], body = null, stage = "prod" } = asked;
  const all = { Host: host, ...headers, ...(cookies.length > 0 && { Cookie: cookies.join("; ") }) };
  const parameters = new URLSearchParams(query);
  const names = [...new Set(parameters.keys())];
  return {
    resource: "/{proxy+}",
    path,
    httpMethod: method,
    headers: all,
    multiValueHeaders: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
    queryStringParameters: names.length === 0 ? null : Object.fromEntries(parameters),
    multiValueQueryStringParameters:
      names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, parameters.getAll(name)])),
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      accountId: "1",
      apiId: "abc",
      domainName: host,
      httpMethod: method,
      identity: { sourceIp: "203.0.113.7", userAgent: "test" },
      path: `/${stage}${path}`,
      stage,
      requestId: "1",
    },
    body,
    isBase64Encoded: asked.isBase64Encoded ?? false,
  };
}
