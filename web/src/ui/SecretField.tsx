import { useState } from "react";
import { Field, useFault } from "./Form";
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
  /** Whether the server makes a new one in the place of one that is removed. */
  isMade?: boolean;
  isRemoved: boolean;
  /** Removes it with the next save, or keeps it after all. */
  onRemove: () => void;
}

/** Something secret that is written and never read: typed at first, then replaced or removed. One that is set is typed anew where the server asks for it. */
export function SecretField({ label, name, hint, isSet, isOptional, isMade = false, isRemoved, onRemove }: Props) {
  const [isReplaced, setReplaced] = useState(false);
  const isAskedFor = useFault(name) !== undefined;
  // What has a fault stays open while the form is sent again.
  if (isAskedFor && !isReplaced) setReplaced(true);
  if (!isSet || isReplaced) {
    const words = hint ?? (isOptional ? say("may_be_empty") : undefined);
    return <Field label={label} name={name} type="password" className="input mono" autoComplete="new-password" autoFocus={isReplaced} required={!isOptional} {...(words === undefined ? {} : { hint: words })} />;
  }
  return (
    <div className="field" role="group" aria-label={label}>
      <span className="field-name">{label}</span>
      <input type="hidden" name={name} />
      <span className="secret">
        <span className="badge plain" data-state={isRemoved && !isMade ? "failed" : "active"}>
          {say(!isRemoved ? "is_set" : isMade ? "is_renewed" : "is_removed")}
        </span>
        {!isRemoved && (
          <button type="button" className="link-button" aria-label={say("replace_which", { name: label })} onClick={() => setReplaced(true)}>
            {say("replace")}
          </button>
        )}
        {isOptional && (
          <button type="button" className="link-button" aria-label={say(isRemoved ? "keep_which" : isMade ? "renew_which" : "remove_which", { name: label })} onClick={onRemove}>
            {say(isRemoved ? "keep" : isMade ? "renew" : "remove")}
          </button>
        )}
      </span>
    </div>
  );
}
