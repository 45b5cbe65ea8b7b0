import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, firstView } from "./App";
import { browserPlace, PlaceContext } from "./ui/place";
import { chooseLanguage, locale } from "./ui/words";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/forms.css";
import "./styles/shell.css";
import "./styles/activity.css";
import "./styles/table.css";
import "./styles/range.css";
import "./styles/query.css";
import "./styles/histogram.css";
import "./styles/detail.css";
import "./styles/trace.css";
import "./styles/integrity.css";
import "./styles/insights.css";
import "./styles/print.css";

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
