export { GET } from "../../../lib/probe";
export const runtime = "edge";
// What a site asks for that wants its own requests cached.
export const fetchCache = "default-cache";
export const revalidate = 3600;
