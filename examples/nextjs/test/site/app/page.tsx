import { getCache } from "../lib/cache";

// The cache is read at each request, not once when the site is built.
export const dynamic = "force-dynamic";

export default async function Page() {
  return <p id="value">{String(await getCache().get("probe"))}</p>;
}
