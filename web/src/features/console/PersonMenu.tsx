import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { wordsOf } from "../../ui/words";
import { SignOutButton } from "../sign-in/SignOutButton";
import { ThemeSwitch } from "./ThemeSwitch";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Who looks, how it is to look, and the way out. */
export default function PersonMenu({ close }: { close: () => void }) {
  const { access, leave } = useScreen();
  return (
    <div className="menu">
      <p className="muted line">
        <bdi>{access.kind === "session" ? access.person : say(access.kind === "key" ? "key" : "viewer_token")}</bdi>
      </p>
      <Link to={printRoute({ screen: "profile" })} className="menu-item" onClick={close}>
        {say("own_profile")}
      </Link>
      <ThemeSwitch />
      <SignOutButton className="menu-item" onLeave={leave} />
    </div>
  );
}
