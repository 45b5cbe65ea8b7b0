import { useContext, type AnchorHTMLAttributes, type MouseEvent } from "react";
import { PlaceContext, usePlace } from "./place";

/** A link to a place of this screen. It is a link like any other: it can be copied and opened in another tab where places have addresses. */
export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const { go } = usePlace();
  const place = useContext(PlaceContext);
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return <a href={place.link(to) ?? "#"} onClick={follow} {...rest} />;
}
