import { expect, test } from "vitest";
import { begins, isAddress } from "./match";

test.each([
  ["kha", ["Sarah Khan"], true],
  ["SAR", ["Sarah Khan"], true],
  ["zoe", ["Zoë"], true],
  ["rah", ["Sarah Khan"], false],
  ["role", ["user.role.updated"], true],
  ["ber", ["ä-ber x"], true],
  ["u_8", [null, "u_81"], true],
  ["", ["anything"], true],
])("%s begins a word of %j: %s", (typed, texts, want) => expect(begins(typed, ...texts)).toBe(want));

test.each([
  ["203.0.113.24", true],
  ["203.0.113.0/24", true],
  ["203.0.", true],
  ["2001:db8::1", true],
  ["2001:db8::/32", true],
  ["::1", true],
  ["203", false],
  ["1.2.3.4.5", false],
  ["12:30", false],
  ["a.b", false],
  ["face", false],
])("%s is an address: %s", (text, want) => expect(isAddress(text)).toBe(want));
