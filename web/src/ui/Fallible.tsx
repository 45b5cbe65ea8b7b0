import { Component, type ReactNode } from "react";
import { wordsOf } from "./words";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  /** What is drawn; another value begins anew. */
  of: string;
  children: ReactNode;
}

/** A part of the screen whose failure is its own: the rest stays, and what failed says so. */
export class Fallible extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override componentDidUpdate(before: Props): void {
    if (before.of !== this.props.of && this.state.hasFailed) this.setState({ hasFailed: false });
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div className="state" role="alert">
        <strong>{say("not_drawn")}</strong>
        <p>{say("not_drawn_remedy")}</p>
      </div>
    );
  }
}
