import { isTensor, Opaque, TorchTuple, type TorchValue } from "./torch-value.ts";

const MARK = Symbol("mark");

/** What a pickle's instructions work on: a stack with marks, and a memo. Each method that changes it gives true. */
export class PickleStack {
  readonly #damaged: (what: string) => Error;
  readonly #values: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  /** @param damaged makes the error for what no pickle does */
  constructor(damaged: (what: string) => Error) {
    this.#damaged = damaged;
  }

  get remembered(): number {
    return this.#memo.size;
  }

  mark(): boolean {
    return this.push(MARK);
  }

  push(value: unknown): boolean {
    this.#values.push(value);
    return true;
  }

  pop(): unknown {
    const value = this.top();
    this.#values.pop();
    return value;
  }

  top(): unknown {
    const value = this.#values.at(-1);
    if (this.#values.length === 0 || value === MARK) throw this.#damaged("a value is missing");
    return value;
  }

  /** Takes away what is on top, a mark too. */
  drop(): boolean {
    if (this.#values.pop() === undefined) throw this.#damaged("a value is missing");
    return true;
  }

  popToMark(): unknown[] {
    const mark = this.#values.lastIndexOf(MARK);
    if (mark < 0) throw this.#damaged("a mark is missing");
    const items = this.#values.splice(mark);
    items.shift();
    return items;
  }

  tuple(length: number): boolean {
    const items: TorchValue[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.pop() as TorchValue);
    return this.push(new TorchTuple(items));
  }

  append(items: readonly unknown[]): boolean {
    const list = this.top();
    if (list instanceof Opaque) return true;
    if (!Array.isArray(list)) throw this.#damaged("an append to something that is not a list");
    for (const item of items) list.push(item);
    return true;
  }

  setItems(items: readonly unknown[]): boolean {
    const dict = this.top();
    if (dict instanceof Opaque) return true;
    if (!(dict instanceof Map)) throw this.#damaged("an entry for something that is not a dict");
    if (items.length % 2 !== 0) throw this.#damaged("a key without a value");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (["string", "number", "boolean", "bigint"].includes(typeof key)) {
        dict.set(key, items[i + 1]);
      } else if (!isHashable(key)) {
        throw this.#damaged("a dict key that can't be one");
      }
    }
    return true;
  }

  remember(index: number): boolean {
    this.#memo.set(index, this.top());
    return true;
  }

  recall(index: number): boolean {
    if (!this.#memo.has(index)) throw this.#damaged(`memo ${index} is empty`);
    return this.push(this.#memo.get(index));
  }
}

/** Python's None, tuples and objects may be keys; such entries hold no weights and are left out. */
function isHashable(key: unknown): boolean {
  return key === null || key instanceof TorchTuple || key instanceof Opaque || isTensor(key);
}
