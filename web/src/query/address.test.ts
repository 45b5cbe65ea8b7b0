import { expect, test } from "vitest";
import { parseAddress, printAddress, type Address } from "./address";

test("an address is read back from its text", () => {
  const address: Address = { query: 'area:"a & b" +x', range: { kind: "custom", from: "2026-11-01", to: "" }, order: "asc", columns: ["who", "metadata.plan"], event: "01936f3a", reads: true, view: "v1" };
  expect(parseAddress(printAddress(address))).toEqual(address);
});

test("nothing to say is an empty text, and other parameters stay", () => {
  const empty = parseAddress("");
  expect(printAddress(empty)).toBe("");
  expect(printAddress(empty, "?q=x&theme=1&range=7d")).toBe("?theme=1");
});
