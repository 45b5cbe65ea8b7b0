// The command that sends an organization's first event, and with it creates the organization.
import type { KeyAccess } from "../../api/client";

/** A command for a POSIX shell. `key` is what it authenticates with: the key itself, or the shell variable that has it. */
export function firstEventCommand(origin: string, { organization, project }: Pick<KeyAccess, "organization" | "project">, key: { value: string } | { variable: string }): string {
  const event = { organization, action: "hello", description: "First event", actor: { type: "user", name: "Sarah Khan" } };
  const authorization = "value" in key ? quote(`Authorization: Bearer ${key.value}`) : `"Authorization: Bearer $${key.variable}"`;
  const headers = [authorization, quote("Content-Type: application/json"), ...(project === null ? [] : [quote(`Trailbook-Project: ${project}`)])];
  return [`curl -sS ${quote(`${origin}/v1/events`)}`, ...headers.map((header) => `-H ${header}`), `-d ${quote(JSON.stringify(event))}`].join(" \\\n  ");
}

/** A text as one word of a POSIX shell that means nothing but itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
