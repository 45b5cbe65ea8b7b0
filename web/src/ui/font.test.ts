import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** What stands in a file of this folder's neighbours. */
const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

test("the styles ask for the typeface by the name that it is offered by", () => {
  const family = /FAMILY = "([^"]+)"/.exec(read("./font.ts"))![1];
  expect(/--sans: [^;]*/.exec(read("../styles/tokens.css"))![0]).toContain(`"${family}"`);
});
