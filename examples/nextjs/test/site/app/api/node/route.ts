export { GET, POST } from "../../../lib/probe";
export const dynamic = "force-dynamic";
