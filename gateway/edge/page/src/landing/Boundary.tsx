// Where a defect of the page itself ends: in a sentence, not in an empty screen.
import { Component, type ReactNode } from "react";

export class Boundary extends Component<{ children: ReactNode }, { problem: string | null }> {
  override state = { problem: null as string | null };

  static getDerivedStateFromError(error: unknown) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.problem === null) return this.props.children;
    return (
      <p role="alert" className="fault">
        This part of the page failed: {this.state.problem}. The gateway is not affected; reload the page to try again.
      </p>
    );
  }
}
