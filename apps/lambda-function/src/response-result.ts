import type { APIGatewayProxyResult, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type HttpEvent, isVersion2 } from "./http-event.ts";

/** The answer for a gateway, in the payload format of the event. */
export type HttpResult = APIGatewayProxyResult | APIGatewayProxyStructuredResultV2;

export async function resultOf(response: Response, event: HttpEvent): Promise<HttpResult> {
  const statusCode = response.status;
  const isBase64Encoded = !isText(response.headers);
  const body = isBase64Encoded ? Buffer.from(await response.arrayBuffer()).toString("base64") : await response.text();
  const cookies = response.headers.getSetCookie();
  const headers = [...response.headers].filter(([name]) => name !== "set-cookie");
  if (isVersion2(event)) {
    return { statusCode, headers: Object.fromEntries(headers), cookies, body, isBase64Encoded };
  }
  const multiValueHeaders = Object.fromEntries(headers.map(([name, value]) => [name, [value]]));
  if (cookies.length > 0) multiValueHeaders["set-cookie"] = cookies;
  return { statusCode, multiValueHeaders, body, isBase64Encoded };
}

/** A gateway passes text through; every other body has to be base64. */
function isText(headers: Headers): boolean {
  const type = headers.get("content-type") ?? "text/plain";
  return !headers.has("content-encoding") && /^text\/|\bjson\b|\bjavascript\b|\+xml\b/.test(type);
}
