import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, firstSession } from "./App";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/shell.css";
import "./styles/activity.css";
import "./styles/detail.css";

const session = firstSession();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
createRoot(root).render(
  <StrictMode>
    <App initial={session} />
  </StrictMode>,
);
