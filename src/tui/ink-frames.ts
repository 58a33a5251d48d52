import "./production.ts";
import { EventEmitter } from "node:events";
import { type Instance, render } from "ink";
import { createElement, type ReactElement, type ReactNode, useLayoutEffect } from "react";
import type { Size } from "./layout.ts";

export interface InkFramesOptions {
  readonly stdin: NodeJS.ReadStream;
  /** The tree is gone: it failed, or the process ends without having closed it. */
  readonly onGone: () => void;
}

/**
 * Turns elements into the lines of a frame with Ink, which draws into this object instead of the terminal: what
 * is written there, and when, is decided by us. Ink's own writer knows nothing of broken lines after
 * a resize, nor of other output, and doesn't draw at all where it believes in a CI.
 */
export class InkFrames {
  readonly #target = new FrameTarget();
  readonly #onGone: () => void;
  readonly #stdin: NodeJS.ReadStream;
  #instance: Instance | undefined;

  constructor(options: InkFramesOptions) {
    this.#stdin = options.stdin;
    this.#onGone = options.onGone;
  }

  /** The lines of an element in a terminal of that size. */
  render(element: ReactElement, { columns, rows }: Size): readonly string[] {
    this.#target.columns = columns;
    this.#target.rows = rows;
    const root = createElement(Root, { onGone: this.#onGone }, element);
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
    const drawing = { stdout, stderr: stdout, stdin: this.#stdin };
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

interface RootProps {
  readonly onGone: () => void;
  readonly children?: ReactNode;
}

/** Ink takes its tree away when the process is ended by a signal: the last chance to give the terminal back. */
function Root({ onGone, children }: RootProps): ReactNode {
  useLayoutEffect(() => onGone, [onGone]);
  return children;
}
