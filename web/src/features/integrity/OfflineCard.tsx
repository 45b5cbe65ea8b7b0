import { useScreen } from "../../screen";
import { CopyButton } from "../../ui/CopyButton";
import { wordsOf } from "../../ui/words";
import { evidenceCommands, ledgerCommand } from "./commands";
import { Card } from "./Integrity";
import { useKey } from "./useKey";
import en from "./words.en.json";

const say = wordsOf({ en });

/** The commands that check the ledger elsewhere, with this ledger's names in them. */
export function OfflineCard() {
  const { client, access } = useScreen();
  const { data: key } = useKey();
  const ledger = { server: client.serverAddress(), organization: access.organization, project: access.project, vkey: key?.vkey ?? "VKEY" };
  return (
    <Card title={say("offline")}>
      <p className="muted">{say("offline_about")}</p>
      <Command text={evidenceCommands(ledger)} />
      <p className="muted">{say("offline_running")}</p>
      <Command text={ledgerCommand(ledger)} />
    </Card>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <pre className="json mono" dir="ltr" tabIndex={0}>
        {text}
      </pre>
      <CopyButton text={() => text} label={say("copy_command")} words={say("copy")} />
    </div>
  );
}
