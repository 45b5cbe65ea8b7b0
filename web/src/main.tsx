import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, firstView } from "./App";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/shell.css";
import "./styles/activity.css";
import "./styles/detail.css";
import "./styles/insights.css";

const view = firstView();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
createRoot(root).render(
  <StrictMode>
    <App initial={view} />
  </StrictMode>,
);
