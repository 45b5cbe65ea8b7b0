import { describe, expect, test } from "vitest";
import { besides, isUnfinished, spotAt, withTypedValue, withWord } from "./spot";

/** `|` is the caret. */
const at = (marked: string) => {
  const caret = marked.indexOf("|");
  const text = marked.replace("|", "");
  return { text, spot: spotAt(text, caret) };
};

describe("the spot", () => {
  test.each([
    ["|", null, ""],
    ["sar|", null, "sar"],
    ["a sar|", null, "sar"],
    ["a |", null, ""],
    ["-typ|", null, "typ"],
    ["type:|", "action_type", ""],
    ["TYPE:del|", "action_type", "del"],
    ["x -area:bil| y", "area", "bil"],
    ['actor:"Sarah K|', "actor", "Sarah K"],
    ['actor:"Sarah K|han" x', "actor", "Sarah K"],
    ["area:a,b|", "area", "b"],
    ['area:"a,b",c d|', null, "d"],
    ['area:"a,b",|', "area", ""],
    ["(type:log|", "action_type", "log"],
    ["(a OR type:log|)", "action_type", "log"],
    ["ip:2001:db8|", "ip", "2001:db8"],
    ["203.0.113.2|", null, "203.0.113.2"],
    ["2001:db8::1|", null, "2001:db8::1"],
    ["metadata.plan\\.x:go|", "metadata.plan\\.x", "go"],
  ])("of %s", (marked, field, typed) => expect(at(marked).spot).toMatchObject({ field, typed }));

  test.each([
    ["type:|", true],
    ["type:a,|", true],
    ['actor:"Sar|', true],
    ['actor:"Sar"|', false],
    ["type:a|", false],
    ["words|", false],
    ["time: |", false],
  ])("%s waits for a value: %s", (marked, want) => {
    const { text, spot } = at(marked);
    expect(isUnfinished(text, spot)).toBe(want);
  });

  test.each([
    ["a type:lo| b", "a b"],
    ["type:lo|", ""],
    ["a type:|", "a"],
    ["a |", "a"],
    ["x (a OR type:lo|) b", "x b"],
    ["a OR type:lo|", ""],
    ["a OR |", "a"],
  ])("besides %s there is %s", (marked, want) => {
    const { text, spot } = at(marked);
    expect(besides(text, spot)).toBe(want);
  });
});

describe("going on", () => {
  test.each([
    ["ac|", "actor", false, "actor|"],
    ["x ac| y", "ip:1.2.3.4", true, "x ip:1.2.3.4 |y"],
    ["(ac|)", "type:read", true, "(type:read|)"],
    ["|", "-type:read", true, "-type:read |"],
  ])("%s with %s", (marked, word, isWhole, want) => {
    const { text, spot } = at(marked);
    const draft = withWord(text, spot, word, isWhole);
    expect(draft.text.slice(0, draft.caret) + "|" + draft.text.slice(draft.caret)).toBe(want);
  });

  test.each([
    ["type:de|", "delete", "type:delete |"],
    ["area:a,b|", "b c", 'area:a,"b c" |'],
    ["area:a|,b x", "abc", "area:abc|,b x"],
    ['actor:"Sarah K|han" x', "u 1", 'actor:"u 1" |x'],
    ["(type:lo|", "login", "(type:login |"],
  ])("%s with the value %s", (marked, value, want) => {
    const { text, spot } = at(marked);
    const draft = withTypedValue(text, spot, value);
    expect(draft.text.slice(0, draft.caret) + "|" + draft.text.slice(draft.caret)).toBe(want);
  });
});
