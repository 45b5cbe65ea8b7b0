import { useId } from "react";
import { CopyButton } from "./CopyButton";
import { Dialog } from "./Dialog";
import { wordsOf } from "./words";
import en from "./part.en.json";

const say = wordsOf({ en });

/** Something that the server tells once: a secret or a link that has one. */
export function Secret({ title, about, secrets, onClose }: { title: string; about: string; secrets: { label: string; value: string }[]; onClose: () => void }) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{about}</p>
      {secrets.map((secret) => (
        <SecretLine key={secret.label} {...secret} />
      ))}
      <div className="form-end">
        <button type="button" className="button primary" onClick={onClose}>
          {say("kept_it")}
        </button>
      </div>
    </Dialog>
  );
}

function SecretLine({ label, value }: { label: string; value: string }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="secret">
        <input id={id} className="input mono" readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
        <CopyButton text={() => value} label={say("copy", { what: label })} />
      </div>
    </div>
  );
}
