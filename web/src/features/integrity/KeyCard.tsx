import { useState, type FormEvent } from "react";
import { parseKey } from "../../proof/checkpoint";
import { CopyButton } from "../../ui/CopyButton";
import { wordsOf } from "../../ui/words";
import { Card } from "./Integrity";
import type { Memory } from "./memory";
import { useKey } from "./useKey";
import en from "./words.en.json";

const say = wordsOf({ en });

/** The key that checkpoints are checked with, on whose word, and how to rely on another's. */
export function KeyCard({ memory }: { memory: Memory }) {
  const { data: key, isPending } = useKey();
  const [said, setSaid] = useState("");
  if (isPending) return null;
  const pin = (vkey: string | null) => {
    const isKept = memory.pin(vkey);
    setSaid(say(!isKept ? "pin_not_kept" : vkey === null ? "unpinned_now" : "pinned_now"));
  };
  return (
    <Card title={say("key")}>
      {key === null ? (
        <p className="muted">{say("no_key_named")}</p>
      ) : (
        <>
          <p className="copied">
            <span className="mono">
              <bdi>{key.vkey}</bdi>
            </span>
            <CopyButton text={() => key.vkey} label={say("copy_key")} />
          </p>
          <p className="muted">{say(`trust_${key.trust}`)}</p>
        </>
      )}
      {key?.trust !== "host" && memory.isKept && (
        <>
          {key?.trust === "reader" ? (
            <button type="button" className="button small" onClick={() => pin(null)}>
              {say("unpin")}
            </button>
          ) : (
            <Pinning shown={key?.vkey ?? null} onPin={pin} />
          )}
        </>
      )}
      <p className="muted" role="status">
        {said}
      </p>
    </Card>
  );
}

function Pinning({ shown, onPin }: { shown: string | null; onPin: (vkey: string) => void }) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const vkey = text.trim();
    if ((await parseKey(vkey)) === null) return setWrong(true);
    onPin(vkey);
  };
  return (
    <form className="pinning" onSubmit={(event) => void submit(event)}>
      <label className="field">
        {say("pin_other")}
        <input
          className="input mono"
          value={text}
          spellCheck={false}
          autoComplete="off"
          placeholder={say("pin_hint")}
          aria-invalid={isWrong}
          aria-describedby="pin-fault"
          onChange={(event) => {
            setText(event.target.value);
            setWrong(false);
          }}
        />
      </label>
      <p id="pin-fault" className="field-fault" role="alert">
        {isWrong && say("pin_wrong")}
      </p>
      <div className="actions">
        <button type="submit" className="button small" disabled={text.trim() === ""}>
          {say("pin")}
        </button>
        {shown !== null && (
          <button type="button" className="link-button" onClick={() => onPin(shown)}>
            {say("pin_shown")}
          </button>
        )}
      </div>
    </form>
  );
}
