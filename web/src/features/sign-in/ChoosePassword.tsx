// Choosing a password with the secret that a letter brings.
import type { Auth } from "../../api/auth";
import { wordsOf } from "../../ui/words";
import { Card } from "./Card";
import { Field, Form } from "../../ui/Form";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What a letter's link leads to, of an invitation as of a forgotten password. `secret` is the link's; it works once. */
export default function ChoosePassword({ auth, secret, onDone, onLeave }: { auth: Auth; secret: string; onDone: () => void; onLeave: () => void }) {
  return (
    <Card title={say("choose_password")}>
      <Form
        button={say("set_password")}
        sending={say("setting_password")}
        onSend={async (typed) => {
          await auth.setPassword({ token: secret, password: typed("password") ?? "", name: typed("name") });
          onDone();
        }}
      >
        <Field label={say("new_password")} name="password" type="password" required autoFocus autoComplete="new-password" hint={say("new_password_hint")} />
        <Field label={say("own_name")} name="name" autoComplete="name" hint={say("own_name_hint")} />
      </Form>
      <div className="ways">
        <button type="button" className="link-button" onClick={onLeave}>
          {say("sign_in_instead")}
        </button>
      </div>
    </Card>
  );
}
