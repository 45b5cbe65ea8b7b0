import { useState } from "react";
import type { DestinationType } from "../../api/streams";
import { Choice, Field } from "../../ui/Form";
import { SecretField } from "../../ui/SecretField";
import { SECRET_HEADER, SECRET_HEADERS_MAX, typeOf, type SecretOf, type SecretWish } from "./destinations";
import { say } from "./words";

interface Props {
  type: DestinationType;
  /** Whether the stream is there: no secret is made for it any more. */
  isThere: boolean;
  wish: SecretWish;
  onWish: (wish: SecretWish) => void;
}

/** What a destination must not show: those that are set can be replaced and removed, and are never seen again. */
export function SecretFields({ type, isThere, wish, onWish }: Props) {
  const { ways, hasSecretHeaders } = typeOf(type);
  const secrets = ways[wish.way] ?? [];
  const headers = hasSecretHeaders ? wish.set.filter((name) => name.startsWith(SECRET_HEADER)) : [];
  if (ways.length < 2 && secrets.length === 0 && !hasSecretHeaders) return null;
  const line = ({ name, isOptional }: SecretOf, label: string) => {
    const isRemoved = wish.removed.has(name);
    const toggle = () => onWish({ ...wish, removed: new Set(isRemoved ? [...wish.removed].filter((each) => each !== name) : [...wish.removed, name]) });
    // The server makes one for a new stream; one that is there cannot be without.
    const isNeeded = name === "secret" && isThere;
    const hint = HINTS.has(name) ? { hint: isNeeded ? say("secret_secret_again_hint") : say(`secret_${name}_hint` as "secret_secret_hint") } : {};
    return <SecretField key={name} label={label} name={`secrets/${name}`} isSet={wish.set.includes(name)} isOptional={isOptional && !isNeeded} isRemoved={isRemoved} onRemove={toggle} {...hint} />;
  };
  return (
    <fieldset className="group">
      <legend>{say("secrets")}</legend>
      <p className="muted">{say("secrets_about")}</p>
      {ways.length > 1 && (
        <Choice
          label={say("way")}
          name="way"
          value={String(wish.way)}
          onChange={({ currentTarget }) => onWish({ ...wish, way: Number(currentTarget.value) })}
          options={ways.map((way, at) => [String(at), way.map(({ name }) => say(`secret_${name}` as "secret_token")).join(", ")])}
        />
      )}
      {secrets.map((secret) => line(secret, say(`secret_${secret.name}` as "secret_token")))}
      {headers.map((name) => line({ name, isOptional: true }, say("header_called", { name: name.slice(SECRET_HEADER.length) })))}
      {hasSecretHeaders && <NewHeaders />}
    </fieldset>
  );
}

/** Headers that are to be kept secret, as many as somebody asks for. */
function NewHeaders() {
  const [count, setCount] = useState(0);
  return (
    <>
      {Array.from({ length: count }, (_, at) => (
        <div key={at} className="beside">
          <Field label={say("header_name")} name={`header_name/${at}`} autoComplete="off" autoFocus />
          <Field label={say("header_value")} name={`header_value/${at}`} type="password" className="input mono" autoComplete="new-password" />
        </div>
      ))}
      {count < SECRET_HEADERS_MAX && (
        <button type="button" className="link-button add-header" onClick={() => setCount(count + 1)}>
          {say("add_header")}
        </button>
      )}
    </>
  );
}

/** Secrets that need a word of explanation. */
const HINTS = new Set(["secret", "previous_secret", "service_account_key"]);
