import { useState } from "react";
import { Field } from "./Form";
import { wordsOf } from "./words";
import en from "./secrets.en.json";

const say = wordsOf({ en });

interface Props {
  label: string;
  name: string;
  hint?: string;
  /** Whether the server has one: it is never seen again. */
  isSet: boolean;
  isOptional: boolean;
  isRemoved: boolean;
  /** Removes it with the next save, or keeps it after all. */
  onRemove: () => void;
}

/** Something secret that is written and never read: typed at first, then replaced or removed. */
export function SecretField({ label, name, hint, isSet, isOptional, isRemoved, onRemove }: Props) {
  const [isReplaced, setReplaced] = useState(false);
  if (!isSet || isReplaced) {
    const words = hint ?? (isOptional ? say("may_be_empty") : undefined);
    return <Field label={label} name={name} type="password" className="input mono" autoComplete="new-password" autoFocus={isReplaced} required={!isOptional} {...(words === undefined ? {} : { hint: words })} />;
  }
  return (
    <div className="field" role="group" aria-label={label}>
      <span className="field-name">{label}</span>
      <span className="secret">
        <span className="badge plain" data-state={isRemoved ? "failed" : "active"}>
          {say(isRemoved ? "is_removed" : "is_set")}
        </span>
        {!isRemoved && (
          <button type="button" className="link-button" aria-label={say("replace_which", { name: label })} onClick={() => setReplaced(true)}>
            {say("replace")}
          </button>
        )}
        {isOptional && (
          <button type="button" className="link-button" aria-label={say(isRemoved ? "keep_which" : "remove_which", { name: label })} onClick={onRemove}>
            {say(isRemoved ? "keep" : "remove")}
          </button>
        )}
      </span>
    </div>
  );
}
