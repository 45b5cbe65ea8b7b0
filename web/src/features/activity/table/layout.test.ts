import { expect, test } from "vitest";
import { clampWidth, DEFAULT_LAYOUT, gridColumns, moved, parseLayout, widthMin } from "./layout";

test("a layout is read as it was written", () => {
  const layout = { columns: ["a", "metadata.b"], widths: { a: 200 }, density: "compact", isWrapped: true, isFrozen: true } as const;
  expect(parseLayout(JSON.stringify(layout))).toEqual(layout);
});

test.each([null, "", "no", "null", "[]", '{"columns":[1],"widths":{"a":"x"},"density":"tiny","isWrapped":"yes"}'])("what is no layout (%s) is the default one", (text) =>
  expect(parseLayout(text)).toEqual(DEFAULT_LAYOUT),
);

test("widths stay where one can still read and reach them", () => {
  expect([1, 100.4, 9_999].map(clampWidth)).toEqual([64, 100, 900]);
  expect(parseLayout('{"widths":{"a":-5}}').widths).toEqual({ a: 64 });
});

const COLUMNS = [
  { id: "a", width: 100, share: 0 },
  { id: "b", width: 120, share: 2 },
  { id: "c", width: 80, share: 0 },
];

test("a width that somebody has set stands, others share what is left, and the last takes it where none does", () => {
  expect(gridColumns(COLUMNS, {})).toBe("100px minmax(120px, 2fr) 80px");
  expect(gridColumns(COLUMNS, { a: 300 })).toBe("300px minmax(120px, 2fr) 80px");
  expect(gridColumns(COLUMNS, { b: 300 })).toBe("100px 300px minmax(80px, 1fr)");
  expect(widthMin(COLUMNS, { b: 300 })).toBe(480);
});

test("a member goes where it is put", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, -1)).toEqual(["c", "a", "b"]);
});
