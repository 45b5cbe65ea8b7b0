import { Link } from "./Link";
import { wordsOf } from "./words";
import en from "./part.en.json";

const say = wordsOf({ en });

/** In place of a screen, for who may not see it. The server refuses them as well. */
export function NotYours({ title, reason }: { title: string; reason: string }) {
  return (
    <main className="page">
      <div className="title">
        <h1>{title}</h1>
      </div>
      <p role="alert">{reason}</p>
      <p>
        <Link to="/">{say("to_activity")}</Link>
      </p>
    </main>
  );
}
