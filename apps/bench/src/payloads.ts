/** A small generator with a seed, so that every run measures the same bytes. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const words =
  "lattice concept memory session query vector result stream region shepherd string river engine orbit".split(" ");

function sentence(random: () => number, length: number): string {
  return Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(" ");
}

/** A unit vector of 1,536 components with eight significant digits, as embedding services send them. */
function embedding(random: () => number): number[] {
  return Array.from({ length: 1_536 }, () => Number(((random() - 0.5) / 20).toPrecision(8)));
}

/** The four payloads that sizes are compared on, and the embedding once more as the typed array that it is. */
export function payloads(): Readonly<Record<string, unknown>> {
  const random = seeded(42);
  const session = {
    userId: "user_4821",
    roles: ["reader", "editor"],
    createdAt: 1_763_800_000_000,
    expiresAt: 1_763_803_600_000,
    preferences: { theme: "dark", language: "en", pageSize: 25, beta: false },
    recent: Array.from({ length: 5 }, () => `concept_${Math.floor(random() * 1e6)}`),
    address: { city: "Lisbon", country: "PT", latitude: 38.7223, longitude: -9.1393 },
  };
  const search = Array.from({ length: 50 }, (_, rank) => ({
    id: `concept_${Math.floor(random() * 1e6)}`,
    rank,
    score: random() * 20,
    title: sentence(random, 4),
    gloss: sentence(random, 30),
    tags: [sentence(random, 1), sentence(random, 1)],
  }));
  const vector = embedding(random);
  const memory = { id: "concept_123", text: sentence(random, 60), importance: 0.73, embedding: vector };
  return {
    session,
    "search list (50)": search,
    "memory, 1,536 floats": memory,
    "the same, Float32Array": { ...memory, embedding: Float32Array.from(vector) },
    "scalar 42": 42,
  };
}
