import { expect, test } from "vitest";
import type { Event } from "../../api/contract";
import { sentenceOf } from "./sentence";

const ana = { type: "user", id: "u1", name: "Ana Lima", email: null, team: null };
const kofi = { type: "user", id: "u2", name: "Kofi", email: null };
const finance = { type: "group", id: null, name: "Finance", email: null };
const event = (description: string, more: Partial<Event> = {}) => ({ description, action: "a", actor: ana, targets: [kofi, finance], ...more }) as Event;

test("who and what a sentence names are links, the rest is said beside it", () => {
  expect(sentenceOf(event("Ana Lima removed Kofi from Finance"))).toEqual({
    pieces: [{ name: "Ana Lima", field: "actor", value: "u1" }, " removed ", { name: "Kofi", field: "target", value: "u2" }, " from ", { name: "Finance", field: "target", value: "Finance" }],
    actor: null,
    targets: [],
  });
  expect(sentenceOf(event("Group left"))).toMatchObject({ pieces: ["Group left"], actor: { value: "u1" }, targets: [{ value: "u2" }, { value: "Finance" }] });
});

test("a name inside of another word is no name", () => {
  expect(sentenceOf(event("Refinanced Kofis Finances"))).toMatchObject({ pieces: ["Refinanced Kofis Finances"], targets: [{ value: "u2" }, { value: "Finance" }] });
});

test("nobody known and nothing acted upon are not named", () => {
  expect(sentenceOf(event("Failed", { actor: { ...ana, type: "anonymous", id: null, name: null }, targets: null }))).toEqual({ pieces: ["Failed"], actor: null, targets: [] });
});
