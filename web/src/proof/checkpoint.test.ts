import { expect, test } from "vitest";
import { projectOf } from "./checkpoint";

test.each([
  ["log.example/shop/acme", "acme", "shop"],
  ["log.example/deep/shop/acme/e12", "acme", "shop"],
  ["log.example/shop/e2", "e2", "shop"],
  ["log.example/shop/e2/e2", "e2", "shop"],
  ["log.example/shop/acme", "other", null],
  ["acme", "acme", null],
])("%s of %s is in project %s", (origin, organization, project) => {
  expect(projectOf(origin, organization)).toBe(project);
});
