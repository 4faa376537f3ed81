// A button that copies a text and says whether it could.
import { useState } from "react";

export function Copy({ label, text }: { label: string; text: string }) {
  const [outcome, setOutcome] = useState<{ text: string; words: string } | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome({ text, words: "Copied" });
    } catch {
      setOutcome({ text, words: "Not allowed: select the text instead" });
    }
  };
  return (
    <button type="button" className="quiet" onClick={() => void copy()}>
      <span aria-live="polite">{outcome?.text === text ? outcome.words : label}</span>
    </button>
  );
}
