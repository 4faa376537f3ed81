// Forms and buttons that change something: each shows what was wrong where it was wrong, and never sends twice.
import { type FormEvent, type HTMLInputTypeAttribute, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { UNAUTHENTICATED } from "../gateway";
import { useAccount } from "./account";
import type { Problem } from "./change";

export type Field = {
  name: string;
  label: string;
  type?: HTMLInputTypeAttribute;
  autoComplete?: string;
  hint?: string;
};

export const EMAIL: Field = { name: "email", label: "E-mail address", type: "email", autoComplete: "username" };
export const PASSWORD: Field = { name: "password", label: "Password", type: "password", autoComplete: "current-password" };
export const NEW_PASSWORD: Field = {
  name: "password",
  label: "New password",
  type: "password",
  autoComplete: "new-password",
  hint: "10 characters or more that are hard to guess, such as four uncommon words.",
};
export const CODE: Field = {
  name: "code",
  label: "Code",
  autoComplete: "one-time-code",
  hint: "Six digits of your authenticator.",
};

type Send = (values: FormData) => Promise<Problem[]>;

function useSending(send: Send) {
  const { refresh } = useAccount();
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Problem[]>([]);
  const run = async (values: FormData): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setProblems([]);
    try {
      const found = await send(values);
      setProblems(found);
      // The session ended meanwhile: the page says so by asking for another.
      if (found.some(({ code }) => code === UNAUTHENTICATED)) refresh();
      return found.length === 0;
    } catch (error) {
      setProblems([{ field: null, code: "", message: `This page failed: ${error instanceof Error ? error.message : error}` }]);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problems, run };
}

export function Problems({ problems }: { problems: Problem[] }) {
  return problems.map(({ code, message }) => (
    <p key={code + message} className="fault" role="alert">
      {message}
    </p>
  ));
}

type FormProps = { fields: Field[]; button: string; send: Send; children?: ReactNode; quiet?: boolean };

export function Form({ fields, button, send, children, quiet = false }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { busy, problems, run } = useSending(send);
  const known = (problem: Problem) => fields.some(({ name }) => name === problem.field);

  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [problems]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const filled = form.current!;
    if (await run(new FormData(filled))) filled.reset();
  };
  return (
    <form ref={form} method="post" onSubmit={(event) => void submit(event)}>
      {fields.map((field) => (
        <Entry key={field.name} field={field} problem={problems.find((each) => each.field === field.name) ?? null} />
      ))}
      {children}
      <Problems problems={problems.filter((problem) => !known(problem))} />
      <button type="submit" className={quiet ? "quiet" : "button"} aria-disabled={busy}>
        {busy ? "One moment…" : button}
      </button>
    </form>
  );
}

function Entry({ field, problem }: { field: Field; problem: Problem | null }) {
  const id = useId();
  const told = [field.hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div className="entry">
      <label htmlFor={id}>{field.label}</label>
      <input
        id={id}
        name={field.name}
        type={field.type ?? "text"}
        autoComplete={field.autoComplete ?? "off"}
        spellCheck={false}
        autoCapitalize="none"
        required
        aria-invalid={problem ? true : undefined}
        aria-describedby={told || undefined}
      />
      {field.hint && (
        <p id={`${id}-hint`} className="hint">
          {field.hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="wrong" role="alert">
          {problem.message}
        </p>
      )}
    </div>
  );
}

type ActProps = { label: string; about?: string; sure?: string; send(): Promise<Problem[]> };

/** A button; with `sure` it asks back by its own words before it does what cannot be undone. */
export function Act({ label, about, sure, send }: ActProps) {
  const { busy, problems, run } = useSending(send);
  const [asked, setAsked] = useState(false);
  const words = asked && sure ? sure : label;
  const press = () => {
    if (sure && !asked) setAsked(true);
    else void run(new FormData()).then(() => setAsked(false));
  };
  return (
    <>
      <button
        type="button"
        className={asked ? "quiet sure" : "quiet"}
        aria-label={about ? `${words}: ${about}` : undefined}
        aria-disabled={busy}
        onClick={press}
        onBlur={() => setAsked(false)}
      >
        {words}
      </button>
      <Problems problems={problems} />
    </>
  );
}
