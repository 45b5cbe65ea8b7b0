import { useEffect, useState } from "react";
import type { Event, Json } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { parseAddress, printAddress } from "../../query/address";
import { useScreen } from "../../screen";
import { copyText } from "../../ui/CopyButton";
import { Copy } from "../../ui/icons";
import { usePlace } from "../../ui/place";
import { Popover } from "../../ui/Popover";
import { wordsOf } from "../../ui/words";
import { csvRow, curl } from "./copy";
import { printJson } from "./json-text";
import en from "./words.en.json";

const say = wordsOf({ en });

const SAID_MS = 2_000;

/** The event as a link, an id, JSON, a command or a row of a table. What was copied is said, to the eye and to screen readers. */
export function CopyMenu({ event }: { event: Event }) {
  const { client, access, policy } = useScreen();
  const labels = useLabels();
  const { path, link } = usePlace();
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);

  const address = link(path + printAddress({ ...parseAddress(""), event: event.id }));
  const ways: [name: "as_link" | "as_id" | "as_json" | "as_curl" | "as_csv", text: () => string][] = [
    ...(address === null ? [] : [["as_link", () => address] as ["as_link", () => string]]),
    ["as_id", () => event.id],
    ["as_json", () => printJson(event as unknown as Json)],
    ["as_curl", () => curl(client.eventAddress(event.id), access)],
    ["as_csv", () => csvRow(event, policy.columns, labels)],
  ];
  return (
    <>
      <span className="said" role="status">
        {said}
      </span>
      <Popover label={<Copy />} name={say("copy_as")} className="icon-button" atEnd boxClassName="copy-menu">
        {(close) => (
          <div className="menu">
            {ways.map(([name, text]) => (
              <button
                key={name}
                type="button"
                className="menu-item"
                onClick={async ({ currentTarget }) => {
                  setSaid((await copyText(text(), currentTarget)) ? say("copied", { what: say(name) }) : say("not_copied"));
                  close();
                }}
              >
                {say(name)}
              </button>
            ))}
          </div>
        )}
      </Popover>
    </>
  );
}
