import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, firstView } from "./App";
import { offerFont } from "./ui/font";
import { browserPlace, PlaceContext } from "./ui/place";
import { chooseLanguage, locale } from "./ui/words";
import "./styles/index.css";

void import("./styles/later.css");
offerFont();
chooseLanguage(navigator.languages);
document.documentElement.lang = locale();
const view = firstView();
const place = browserPlace();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
createRoot(root).render(
  <StrictMode>
    <PlaceContext value={place}>
      <App initial={view} />
    </PlaceContext>
  </StrictMode>,
);
