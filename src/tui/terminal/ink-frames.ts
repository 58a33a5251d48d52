import { EventEmitter } from "node:events";
import { type Instance, render } from "ink";
import { Component, createElement, type ReactElement, type ReactNode } from "react";
import type { Size } from "../view/layout.ts";

export interface InkFramesOptions {
  readonly stdin: NodeJS.ReadStream;
  /** A view has thrown: there will be no more frames. */
  readonly onError: (error: Error) => void;
  /** The tree is gone: closed, or the process ends without having closed it. */
  readonly onGone: () => void;
}

/**
 * Turns elements into the lines of a frame with Ink, which draws into this object instead of the terminal: what
 * is written there, and when, is decided by us. Ink's own writer knows nothing of broken lines after
 * a resize, nor of other output, and doesn't draw at all where it believes in a CI.
 */
export class InkFrames {
  readonly #target = new FrameTarget();
  readonly #options: InkFramesOptions;
  #instance: Instance | undefined;

  constructor(options: InkFramesOptions) {
    this.#options = options;
  }

  /** The lines of an element in a terminal of that size. */
  render(element: ReactElement, { columns, rows }: Size): readonly string[] {
    this.#target.columns = columns;
    this.#target.rows = rows;
    const { onError, onGone } = this.#options;
    const root = createElement(Root, { onError, onGone }, element);
    if (this.#instance) this.#instance.rerender(root);
    else this.#instance = this.#mount(root);
    return this.#target.frame.split("\n");
  }

  close(): void {
    this.#instance?.unmount();
    this.#instance = undefined;
  }

  #mount(root: ReactElement): Instance {
    const stdout = this.#target as unknown as NodeJS.WriteStream;
    const drawing = { stdout, stderr: stdout, stdin: this.#options.stdin };
    const manners = { debug: true, exitOnCtrlC: false, patchConsole: false };
    return render(root, { ...drawing, ...manners });
  }
}

/** What Ink takes for a terminal: it keeps the last frame. */
class FrameTarget extends EventEmitter {
  readonly isTTY = false;
  columns = 80;
  rows = 24;
  frame = "";

  write(frame: string): boolean {
    this.frame = frame;
    return true;
  }
}

interface RootProps extends Pick<InkFramesOptions, "onError" | "onGone"> {
  readonly children?: ReactNode;
}

/**
 * Ink takes its tree away when the process is ended by a signal: the last chance to give the terminal
 * back. A view that throws is caught here, as Ink would print its source instead.
 */
class Root extends Component<RootProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: Error): void {
    this.props.onError(error);
  }

  override componentWillUnmount(): void {
    this.props.onGone();
  }

  override render(): ReactNode {
    return this.state.failed ? null : this.props.children;
  }
}
