import { expect, test } from "vitest";
import { keeping, kept, memoryPlace } from "./place";

const NAMES = ["organization", "project"];

test("what is kept is not seen within, and stays on every step and link", () => {
  const outer = { ...memoryPlace("/insights?organization=a%26b&range=7d"), link: (to: string) => `https://log.example${to}` };
  const place = keeping(outer, NAMES);
  expect(place.read()).toBe("/insights?range=7d");
  place.go("/?q=x", "push");
  expect(outer.read()).toBe("/?organization=a%26b&q=x");
  expect(place.read()).toBe("/?q=x");
  place.go("/settings/users", "push");
  expect(outer.read()).toBe("/settings/users?organization=a%26b");
  expect(place.link("/?q=y")).toBe("https://log.example/?organization=a%26b&q=y");
  expect(kept(outer, NAMES).get("organization")).toBe("a&b");
});

test("nothing within can set what is kept", () => {
  const outer = memoryPlace("/?organization=a");
  keeping(outer, NAMES).go("/?organization=b&q=x", "push");
  expect(outer.read()).toBe("/?organization=a&q=x");
});

test("without anything to keep a place is as it was, to the letter", () => {
  const outer = memoryPlace("/?q=a%20b");
  expect(keeping(outer, NAMES).read()).toBe("/?q=a%20b");
});
