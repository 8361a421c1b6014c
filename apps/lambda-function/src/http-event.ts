import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from "aws-lambda";

/** An HTTP event of Lambda: payload format 1.0 (REST APIs) or 2.0 (HTTP APIs and Function URLs). */
export type HttpEvent = APIGatewayProxyEvent | APIGatewayProxyEventV2;

/**
 * @throws TypeError for any other event, with the names of its fields and none of their content. It refuses events of
 * an Application Load Balancer too: they look alike, but lack the address of the client.
 */
export function assertHttpEvent(event: unknown): asserts event is HttpEvent {
  const fields = Object.keys(fieldsOf(event));
  const { requestContext } = fieldsOf(event);
  const isVersion1 = fields.includes("httpMethod") && "identity" in fieldsOf(requestContext);
  if (isVersion1 || (fields.includes("rawPath") && "http" in fieldsOf(requestContext))) return;
  throw new TypeError(
    `Expected an event of an API Gateway (payload format 1.0 or 2.0) or of a Function URL, got the fields [${fields
      .slice(0, 10)
      .join(", ")}]: connect this function to one of those`,
  );
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

export const isVersion2 = (event: HttpEvent): event is APIGatewayProxyEventV2 => "rawPath" in event;

/** The address of the client, as the gateway saw it. */
export function clientOfEvent(event: HttpEvent): string {
  return isVersion2(event) ? event.requestContext.http.sourceIp : event.requestContext.identity.sourceIp;
}
