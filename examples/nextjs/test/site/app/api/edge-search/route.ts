export { GET } from "../search/route";
export const runtime = "edge";
