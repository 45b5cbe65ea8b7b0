import type { Auth } from "../../api/auth";
import { Card } from "./Card";
import { Field, Form } from "./Form";

/** What a letter's link leads to, of an invitation as of a forgotten password. `secret` is the link's; it works once. */
export function ChoosePassword({ auth, secret, onDone, onLeave }: { auth: Auth; secret: string; onDone: () => void; onLeave: () => void }) {
  return (
    <Card title="Choose a password">
      <Form
        button="Set the password"
        sending="Setting…"
        onSend={async (typed) => {
          await auth.setPassword({ token: secret, password: typed("password") ?? "", name: typed("name") });
          onDone();
        }}
      >
        <Field label="New password" name="password" type="password" required autoFocus autoComplete="new-password" hint="12 to 128 characters. Several words are good." />
        <Field label="Your name (may be left empty)" name="name" autoComplete="name" hint="As others see it. Left empty, it stays as it is." />
      </Form>
      <div className="ways">
        <button type="button" className="link-button" onClick={onLeave}>
          Sign in instead
        </button>
      </div>
    </Card>
  );
}
