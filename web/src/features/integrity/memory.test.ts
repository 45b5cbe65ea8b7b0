import { expect, test } from "vitest";
import { createMemory } from "./memory";

function storage(broken = false): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => {
      if (broken) throw new Error("full");
      kept.set(name, value);
    },
    removeItem: (name: string) => void kept.delete(name),
  } as unknown as Storage;
}

const seen = { note: "n", at: 5, first: { size: 1, at: 2 } };

test("a ledger's key and checkpoint are its own, and stay", () => {
  const place = storage();
  expect(createMemory(place, "a").pin("key")).toBe(true);
  createMemory(place, "a").remember(seen);
  expect([createMemory(place, "a").pinned(), createMemory(place, "a").seen()]).toEqual(["key", seen]);
  expect([createMemory(place, "b").pinned(), createMemory(place, "b").seen()]).toEqual([null, null]);
  createMemory(place, "a").pin(null);
  createMemory(place, "a").remember(null);
  expect([createMemory(place, "a").pinned(), createMemory(place, "a").seen()]).toEqual([null, null]);
});

test("no storage, a full one and a damaged record are nothing kept, and it is said", () => {
  for (const place of [null, storage(true)]) {
    const memory = createMemory(place, "a");
    expect(memory.pin("key")).toBe(false);
    expect([memory.pinned(), memory.seen()]).toEqual([null, null]);
  }
  const damaged = storage();
  damaged.setItem("trailbook.seen a", '{"note":1}');
  expect(createMemory(damaged, "a").seen()).toBeNull();
});
