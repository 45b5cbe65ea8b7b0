// What to type into a shell to check a ledger without the screen. Credentials are whoever runs it to give: TRAILBOOK_KEY.
import { quoted } from "../../ui/shell";

interface Ledger {
  server: string;
  organization: string;
  project: string | null;
  vkey: string;
}

/** A file of everything that is retained, and its check. */
export function evidenceCommands({ server, organization, project, vkey }: Ledger): string {
  const of = ledgerOptions(organization, project);
  return `trailbook export --server ${quoted(server)} ${of} --all --format evidence --output evidence.zip\ntrailbook verify evidence.zip --key ${quoted(vkey)}`;
}

/** The check of the running server. */
export function ledgerCommand({ server, organization, project, vkey }: Ledger): string {
  return `trailbook verify ${quoted(server)} ${ledgerOptions(organization, project)} --key ${quoted(vkey)} --remember ledger.checkpoint`;
}

function ledgerOptions(organization: string, project: string | null): string {
  return `--organization ${quoted(organization)}${project === null ? "" : ` --project ${quoted(project)}`}`;
}
