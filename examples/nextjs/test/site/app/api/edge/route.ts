export { GET, POST } from "../../../lib/probe";
export const runtime = "edge";
