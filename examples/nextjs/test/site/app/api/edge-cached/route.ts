export { GET } from "../../../lib/probe";
export const runtime = "edge";
// The settings of a site that wants Next.js to cache its requests.
export const fetchCache = "default-cache";
export const revalidate = 3600;
