import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { firstEventCommand } from "./first-event";

test("a shell hands every word on as it was, whatever the organization is called", () => {
  const organization = `O'Neill "& $(sons)" \\ ü`;
  const command = firstEventCommand("http://localhost:8080", { organization, project: "shop" }, { value: "k'$y" });
  const words = execFileSync("sh", ["-c", command.replace(/^curl/, `printf '%s\\0'`)], { encoding: "utf8" }).split("\0");
  expect(words.slice(0, 8)).toEqual([
    "-sS",
    "http://localhost:8080/v1/events",
    "-H",
    "Authorization: Bearer k'$y",
    "-H",
    "Content-Type: application/json",
    "-H",
    "Trailbook-Project: shop",
  ]);
  expect(JSON.parse(words[9]!)).toMatchObject({ organization });
});

test("the command that is shown has a variable in the key's place", () => {
  const shown = firstEventCommand("http://localhost:8080", { organization: "o", project: null }, { variable: "TRAILBOOK_KEY" });
  expect(shown).toContain(`-H "Authorization: Bearer $TRAILBOOK_KEY"`);
  expect(shown).not.toContain("Trailbook-Project");
});
