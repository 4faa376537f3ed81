// Finding an instrument: a combobox that works with the keyboard alone.
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { ask } from "../gateway";
import searchQuery from "../queries/search.graphql?raw";
import type { Found } from "../words";

const PAUSE_MS = 180;

type Page = { instruments: { nodes: Found[]; pageInfo: { hasNextPage: boolean } } };
type Outcome = { text: string; found: Found[]; more: boolean; problem: string | null };

const NOTHING: Outcome = { text: "", found: [], more: false, problem: null };

export function Search({ onPick }: { onPick(found: Found): void }) {
  const list = useId();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const outcome = useOutcome(text.trim());
  const shown = open && text.trim() !== "";

  const pick = (found: Found) => {
    onPick(found);
    setText("");
    setOpen(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = outcome.found.length - 1;
    if (event.key === "Escape") setOpen(false);
    else if (event.key === "Enter" && shown && outcome.found[active]) pick(outcome.found[active]);
    else if (event.key === "ArrowDown") setActive(active >= last ? 0 : active + 1);
    else if (event.key === "ArrowUp") setActive(active <= 0 ? Math.max(last, 0) : active - 1);
    else return;
    if (event.key.startsWith("Arrow")) setOpen(true);
    event.preventDefault();
  };

  return (
    <div className="search" role="search" onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}>
      <label htmlFor={`${list}-box`}>Find an instrument</label>
      <input
        id={`${list}-box`}
        type="search"
        role="combobox"
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown && outcome.found[active] ? `${list}-${active}` : undefined}
        placeholder="apple, BTC, EURUSD, an ISIN…"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onKeyDown={onKeyDown}
        onFocus={() => setOpen(true)}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setActive(0);
        }}
      />
      {shown && (
        <div className="drop">
          <ul id={list} role="listbox" aria-label="Instruments found">
            {outcome.found.map((found, index) => (
              <li
                key={found.id}
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === active}
                // The press would take the focus from the box, and that closes the list before the click arrives.
                onMouseDown={(event) => event.preventDefault()}
                onMouseMove={() => setActive(index)}
                onClick={() => pick(found)}
              >
                <strong>{found.symbol}</strong>
                <span>{found.name ?? found.id}</span>
                <small>{[found.assetClass, found.venue?.name].filter(Boolean).join(" · ")}</small>
              </li>
            ))}
          </ul>
          <p role="status">{verdict(outcome, text.trim())}</p>
        </div>
      )}
    </div>
  );
}

function verdict({ text, found, more, problem }: Outcome, asked: string): string {
  if (text !== asked) return "Searching…";
  if (problem) return problem;
  if (found.length === 0) return `Nothing is called “${asked}”.`;
  return more ? "There are more: type on to narrow it down." : "";
}

function useOutcome(text: string): Outcome {
  const [outcome, setOutcome] = useState(NOTHING);
  useEffect(() => {
    if (!text) return;
    const stopped = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const { instruments } = await ask<Page>(searchQuery, { text }, stopped.signal);
        setOutcome({ text, found: instruments.nodes, more: instruments.pageInfo.hasNextPage, problem: null });
      } catch (error) {
        if (!stopped.signal.aborted) setOutcome({ ...NOTHING, text, problem: error instanceof Error ? error.message : String(error) });
      }
    }, PAUSE_MS);
    return () => {
      stopped.abort();
      window.clearTimeout(timer);
    };
  }, [text]);
  return outcome;
}
