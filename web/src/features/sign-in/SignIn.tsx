import { useState, type ReactNode } from "react";
import { singleSignOnAddress, type Auth } from "../../api/auth";
import { createClient, type Access } from "../../api/client";
import { Problem } from "../../api/problem";
import { wordsOf } from "../../ui/words";
import { Card } from "./Card";
import { Field, Form } from "../../ui/Form";
import { keyAccess, sessionAccess } from "./session";
import en from "./words.en.json";

const say = wordsOf({ en });

export type Way = "password" | "key" | "single-sign-on" | "forgotten";
/** Why it is asked, when that is not plain. */
export type Notice = "session_over" | "key_over" | "token_over" | "password_set";

interface Props {
  auth: Auth;
  /** The way that is offered first. */
  first: Way;
  notice: Notice | null;
  onAccess: (access: Access) => void;
}

/** Asks who is looking, and hands on what the server has accepted. */
export default function SignIn({ auth, first, notice, onAccess }: Props) {
  const [way, setWay] = useState(first);
  const to = (next: Way, words: Parameters<typeof say>[0]) => (
    <button type="button" className="link-button" onClick={() => setWay(next)}>
      {say(words)}
    </button>
  );
  const said = notice !== null && way === first && (
    <p className="notice calm" role="status">
      {say(notice)}
    </p>
  );
  const back = to("password", "to_password");
  switch (way) {
    case "password":
      return (
        <Card title={say("sign_in")}>
          {said}
          <PasswordForm auth={auth} onAccess={onAccess} />
          <Ways>
            {to("forgotten", "to_forgotten")}
            {to("single-sign-on", "to_single_sign_on")}
            {to("key", "to_key")}
          </Ways>
        </Card>
      );
    case "key":
      return (
        <Card title={say("use_key")}>
          {said}
          <KeyForm onAccess={onAccess} />
          <Ways>{back}</Ways>
        </Card>
      );
    case "single-sign-on":
      return (
        <Card title={say("single_sign_on")}>
          <SingleSignOnForm />
          <Ways>{back}</Ways>
        </Card>
      );
    case "forgotten":
      return (
        <Card title={say("forgotten")}>
          <ForgottenForm auth={auth} />
          <Ways>{back}</Ways>
        </Card>
      );
  }
}

const Ways = ({ children }: { children: ReactNode }) => <div className="ways">{children}</div>;

function PasswordForm({ auth, onAccess }: { auth: Auth; onAccess: (access: Access) => void }) {
  return (
    <Form
      button={say("sign_in")}
      sending={say("signing_in")}
      onSend={async (typed) => {
        await auth.signIn({ email: typed("email") ?? "", password: typed("password") ?? "", organization: typed("organization"), project: typed("project") });
        const signedIn = await auth.session();
        // Browsers take the cookie over TLS only, and from this very machine.
        if (signedIn === null) throw new Error(say("no_cookie"));
        onAccess(sessionAccess(signedIn));
      }}
    >
      <Field label={say("email")} name="email" type="email" required autoFocus autoComplete="username" />
      <Field label={say("password")} name="password" type="password" required autoComplete="current-password" />
      <More />
    </Form>
  );
}

/** What only those need whose e-mail address is known in several organizations. */
function More() {
  return (
    <details className="more-fields">
      <summary>{say("more")}</summary>
      <Field label={say("organization_of_several")} name="organization" autoComplete="organization" />
      <Field label={say("project")} name="project" autoComplete="off" />
    </details>
  );
}

function KeyForm({ onAccess }: { onAccess: (access: Access) => void }) {
  return (
    <>
      <p className="muted">{say("key_about")}</p>
      <Form
        button={say("show")}
        sending={say("looking")}
        onSend={async (typed) => {
          const access = keyAccess("key", typed("organization"), typed("key"), typed("project"));
          if (access === null) throw new Error(say("key_incomplete"));
          await check(access);
          onAccess(access);
        }}
      >
        <Field label={say("organization")} name="organization" required autoFocus autoComplete="organization" />
        <Field label={say("key")} name="key" className="input mono" type="password" required autoComplete="off" />
        <Field label={say("project")} name="project" autoComplete="off" />
      </Form>
      <p className="muted">{say("key_kept")}</p>
    </>
  );
}

/** Rejects with the reason when the server does not let this key read. An organization without events is one that can be read. */
async function check(access: Access): Promise<void> {
  try {
    await createClient(access).events({ limit: 1 });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw new Error(say("unreadable"));
    if (problem.status === 401) throw new Error(say("key_over"));
    if (problem.status === 403) throw new Error(say("key_forbidden"));
    if (problem.status !== 404) throw problem;
  }
}

function SingleSignOnForm() {
  return (
    <>
      <p className="muted">{say("single_sign_on_about")}</p>
      <Form
        button={say("continue")}
        sending={say("leaving")}
        onSend={async (typed) => {
          // Not a form's own address: the content security policy keeps forms, also through redirects, to this server.
          location.assign(singleSignOnAddress(typed("organization") ?? "", typed("project")));
          // The page is being left: until then nothing else is offered.
          await new Promise(() => undefined);
        }}
      >
        <Field label={say("organization")} name="organization" required autoFocus autoComplete="organization" />
        <Field label={say("project")} name="project" autoComplete="off" />
      </Form>
    </>
  );
}

function ForgottenForm({ auth }: { auth: Auth }) {
  const [isDone, setDone] = useState(false);
  if (isDone) {
    return <p role="status">{say("forgotten_sent")}</p>;
  }
  return (
    <>
      <p className="muted">{say("forgotten_about")}</p>
      <Form
        button={say("send_link")}
        sending={say("sending")}
        onSend={async (typed) => {
          await auth.requestReset({ email: typed("email") ?? "", organization: typed("organization"), project: typed("project") });
          setDone(true);
        }}
      >
        <Field label={say("email")} name="email" type="email" required autoFocus autoComplete="username" />
        <More />
      </Form>
    </>
  );
}
