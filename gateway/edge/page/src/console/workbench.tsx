// GraphiQL on this gateway: opens with the query in the address, or with a first one that answers.
import { GraphiQL } from "graphiql";
import { useEffect, useState } from "react";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./console.css";
import "./workers";
import { health } from "../gateway";
import { fetcher } from "./fetcher";
import first from "../examples/quote.graphql?raw";

const address = new URLSearchParams(window.location.search);

const initial = {
  ...(address.has("query") && { initialQuery: address.get("query")! }),
  ...(address.has("query") && { initialVariables: address.get("variables") ?? "" }),
};

export default function Workbench() {
  return (
    <GraphiQL fetcher={fetcher} defaultQuery={first} shouldPersistHeaders={false} showPersistHeadersSettings={false} {...initial}>
      <GraphiQL.Logo>
        <a className="home" href="/">
          Marketgate
        </a>
        <DataMode />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

function DataMode() {
  const [mode, setMode] = useState("");
  useEffect(() => {
    const stopped = new AbortController();
    health(stopped.signal).then(
      (told) => setMode(told.mode),
      // Without an answer the console says nothing about the mode; each answer's provenance still does.
      () => setMode(""),
    );
    return () => stopped.abort();
  }, []);
  if (!mode) return null;
  return mode === "live" ? <span className="mode">LIVE</span> : <span className="mode offline">OFFLINE: simulated and recorded data</span>;
}
