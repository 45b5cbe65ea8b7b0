// All that a page has to do: where tokens come from.
document.querySelector("trailbook-viewer").getToken = async () => (await fetch("/token")).text();
