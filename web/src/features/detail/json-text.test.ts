import { expect, test } from "vitest";
import { pieces, printJson } from "./json-text";

const SAMPLE = { "a:b": 'say "x": 1', n: -1.5e-7, list: [true, null, "</script>"], empty: {} };

test("the pieces are the text, and each is what it looks like", () => {
  const text = printJson(SAMPLE);
  const found = pieces(text);
  expect(found.map((piece) => piece.text).join("")).toBe(text);
  const of = (kind: string) => found.filter((piece) => piece.kind === kind).map((piece) => piece.text);
  expect(of("name")).toEqual(['"a:b"', '"n"', '"list"', '"empty"']);
  expect(of("string")).toEqual(['"say \\"x\\": 1"', '"</script>"']);
  expect(of("other")).toEqual(["-1.5e-7", "true", "null"]);
});

test("what cannot be seen is written out, and the text stays the same JSON", () => {
  const hidden = { name: "abc\u202Ecod.exe\u200b" };
  expect(printJson(hidden)).toContain("abc\\u202ecod.exe\\u200b");
  expect(JSON.parse(printJson(hidden))).toEqual(hidden);
});

test("a long text stays whole", () => {
  const text = printJson("x".repeat(100_000));
  expect(pieces(text)).toEqual([{ kind: "plain", text }]);
});
