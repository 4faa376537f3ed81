// The console page: a shell that answers at once, and GraphiQL as a bundle of its own behind it.
import { Component, lazy, type ReactNode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import "./shell.css";

const Workbench = lazy(() => import("./workbench"));

class Boundary extends Component<{ children: ReactNode }, { problem: string | null }> {
  override state = { problem: null as string | null };

  static getDerivedStateFromError(error: unknown) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.problem === null) return this.props.children;
    return (
      <p role="alert" className="shell">
        The console did not start: {this.state.problem}. Reload the page, or POST your query to /graphql.
      </p>
    );
  }
}

createRoot(document.getElementById("root")!).render(
  <Boundary>
    <Suspense fallback={<p className="shell">Loading the console…</p>}>
      <Workbench />
    </Suspense>
  </Boundary>,
);
