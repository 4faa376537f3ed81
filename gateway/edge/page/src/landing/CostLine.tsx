// What the page itself has just spent, so that nobody is surprised by what a query of theirs will.
import { useCost } from "../cost";
import { useNow } from "../polling";

export function CostLine() {
  const cost = useCost();
  // Once a second; the time itself is read below, since the clock rests while nobody looks.
  useNow();
  if (!cost) return <p className="spent">Each answer says what it cost.</p>;
  const { actual, remaining, resetsAt } = cost;
  const seconds = resetsAt === null ? 0 : Math.max(0, Math.round((Date.parse(resetsAt) - Date.now()) / 1000));
  return (
    <p className="spent">
      Last query: <strong>{points(actual)}</strong>
      {remaining !== null && `, ${remaining} left`}
      {remaining !== null && resetsAt !== null && `, all again in ${seconds} s`}
    </p>
  );
}

const points = (count: number): string => `${count} ${count === 1 ? "point" : "points"}`;
