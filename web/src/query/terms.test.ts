import { describe, expect, test } from "vitest";
import { both, printValue, terms, valuesOf, without, withoutField, withoutValue, withValue } from "./terms";

const read = (query: string) =>
  terms(query).map((term) =>
    term.kind === "field" ? `${term.negated ? "not " : ""}${term.field}=${term.values.map((v) => v.text + (v.prefix ? "…" : "")).join("|")}` : `${term.kind} ${term.text}`,
  );

describe("terms", () => {
  test.each([
    ["", []],
    ["   ", []],
    ["sarah export", ["words sarah", "words export"]],
    ["type:delete", ["action_type=delete"]],
    ["-area:reporting", ["not area=reporting"]],
    ['area:"Users and permissions",billing', ["area=Users and permissions|billing"]],
    ['actor:"say \\"hi\\" \\\\"', ['actor=say "hi" \\']],
    ["action:user.*", ["action=user.…"]],
    ['"exact phrase" AND x', ['words "exact phrase"', "words x"]],
    ["ip:2001:db8::/32", ["ip=2001:db8::/32"]],
    ["metadata.Plan\\.x:gold", ["metadata.Plan\\.x=gold"]],
    ["security:true (a OR b) -(c d)", ["security=true", "expression (a OR b)", "expression -(c d)"]],
    ["a OR type:b", ["expression a OR type:b"]],
    ['actor:"a OR b"', ["actor=a OR b"]],
    ["before:2026-11-01", ["before=2026-11-01"]],
    ["actor:", ["words actor:"]],
    ['actor:"open', ['words actor:"open']],
    ["http://x", ["http=//x"]],
  ])("%s", (query, want) => expect(read(query)).toEqual(want));

  test("each term's place is its text", () => {
    const query = '  a  -area:"x y"  (b OR c) ';
    for (const term of terms(query)) expect(query.slice(term.start, term.end)).toBe(term.text);
  });
});

describe("edits", () => {
  test.each([
    ["", "area", "billing", false, "area:billing"],
    ["sarah", "area", "Users and permissions", false, 'sarah area:"Users and permissions"'],
    ["area:a x", "area", "b,c", false, 'area:a,"b,c" x'],
    ["area:a", "area", "a", false, "area:a"],
    ["area:a", "area", "b", true, "area:a -area:b"],
    ["type:read", "action_type", "update", false, "type:read,update"],
    ["a OR b", "security", "true", false, "(a OR b) security:true"],
    ["(a OR b)", "security", "true", false, "(a OR b) security:true"],
  ])("%s + %s %s", (query, field, value, negated, want) => expect(withValue(query, field, value, negated)).toBe(want));

  test.each([
    ["a area:b c", 1, "a c"],
    ["area:b", 0, ""],
    ["a AND area:b", 1, "a"],
    ["area:b AND a", 0, "a"],
    ["a AND area:b AND c", 1, "a AND c"],
    ["a OR b", 0, ""],
  ])("%s without term %i", (query, index, want) => {
    const term = terms(query)[index];
    expect(term && without(query, term)).toBe(want);
  });

  test("a field's terms are dropped, those of others stay", () => {
    expect(withoutField('x area:a -area:"b c" type:d', "area")).toBe("x type:d");
  });

  test("a value is taken out of its list, and the list goes with its last value", () => {
    expect(withoutValue('area:a,"b c",d* x', "area", "b c")).toBe("area:a,d* x");
    expect(withoutValue("type:read x", "action_type", "read")).toBe("x");
    expect(withoutValue("area:a", "area", "b")).toBe("area:a");
  });

  test.each(["plain", "two words", 'a"b', "back\\slash", "star*", "a,b", "(x)", "", "2001:db8::1", "ünï", "-x"])(
    "%s survives writing and reading",
    (value) => {
      expect(valuesOf(withValue("", "actor", value), "actor", false)).toEqual([value]);
      expect(withoutValue(withValue("w", "actor", value), "actor", value)).toBe("w");
      expect(printValue(value)).not.toMatch(/^$/);
    },
  );
});

test("two conditions hold together, whatever is in them", () => {
  expect(both("a OR b", "c")).toBe("(a OR b) c");
  expect([both("", " c "), both("a", ""), both("", "")]).toEqual(["c", "a", ""]);
});
