// A number as the gateway sent it: exact in the title, readable on the screen.
import { useEffect, useRef, useState } from "react";
import { compare, isNegative, isZero, shown } from "../decimal";

// What fits in a row of a table; where a value stands alone it is shown whole.
const DIGITS = 9;

export function Figure({ value, unit, whole = false }: { value: string | null; unit?: string; whole?: boolean }) {
  if (value === null) return <span className="none" title="The provider does not say.">–</span>;
  return (
    <span className="figure" title={unit ? `${value} ${unit}` : value}>
      {shown(value, whole ? Infinity : DIGITS)}
      {unit && <span className="unit"> {unit}</span>}
    </span>
  );
}

/** A price that shows for a moment which way it went. */
export function Price({ value, unit, whole = false }: { value: string; unit: string; whole?: boolean }) {
  const before = useRef(value);
  const [step, setStep] = useState({ way: "", count: 0 });

  useEffect(() => {
    const order = compare(value, before.current);
    before.current = value;
    if (order !== 0) setStep(({ count }) => ({ way: order > 0 ? "rise" : "fall", count: count + 1 }));
  }, [value]);

  return (
    <span key={step.count} className={`price ${step.way}`}>
      <Figure value={value} unit={unit === "XXX" ? "" : unit} whole={whole} />
    </span>
  );
}

export function Change({ percent }: { percent: string | null }) {
  if (percent === null) return <Figure value={null} />;
  const way = isZero(percent) ? "flat" : isNegative(percent) ? "down" : "up";
  return (
    <span className={`change ${way}`} title={`${percent} %`}>
      <span aria-hidden="true">{{ flat: "■", down: "▼", up: "▲" }[way]}</span> {way === "up" && "+"}
      {shown(percent)}&thinsp;%
    </span>
  );
}
