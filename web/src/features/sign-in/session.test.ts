import { expect, test } from "vitest";
import { load, readFragment, save } from "./session";

test.each([
  ["#key=tb_a%2Bb+c&organization=fashion%20co", { key: "tb_a+b+c", organization: "fashion co", project: null }],
  ["#organization=o&key=k&project=shop", { key: "k", organization: "o", project: "shop" }],
  ["#organization=o", null],
  ["#organization=o&key=", null],
  ["#key=%E0%A4&organization=o", { key: "%E0%A4", organization: "o", project: null }],
  ["", null],
])("%s", (fragment, want) => expect(readFragment(fragment)).toEqual(want));

test("a session is kept and forgotten, and nonsense in the storage is no session", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  } as unknown as Storage;
  const session = { organization: "o", key: "k", project: null };
  save(storage, session);
  expect(load(storage)).toEqual(session);
  for (const name of kept.keys()) kept.set(name, "{");
  expect(load(storage)).toBeNull();
  save(storage, null);
  expect(kept.size).toBe(0);
});
