// The account page: who is signed in, in which organisation, with which keys.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Boundary } from "../landing/Boundary";
import { App } from "./App";
import "../landing/page.css";
import "./account.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Boundary>
      <App />
    </Boundary>
  </StrictMode>,
);
