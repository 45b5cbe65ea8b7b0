import { printAddress, type Address } from "../../query/address";
import { pin } from "../../query/range";
import { useScreen } from "../../screen";
import { CopyButton } from "../../ui/CopyButton";
import { usePlace } from "../../ui/place";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import en from "./button.en.json";

const say = wordsOf({ en });

/** Copies a link to what is on the screen. Its range is pinned: whoever opens it later sees the same time. */
export function ShareButton({ address, now }: { address: Address; now: Date }) {
  const { policy } = useScreen();
  const zone = useZone();
  const { path, search, link } = usePlace();
  const shared = () => link(path + printAddress({ ...address, range: pin(address.range, now, zone, policy) }, search));
  // Inside of another product's page places have no address of their own.
  return shared() === null ? null : <CopyButton text={() => shared() ?? ""} label={say("share")} />;
}
