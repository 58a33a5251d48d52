import { decodeMessage, encodeMessage, type Tensors } from "../../protocol/codec.ts";
import { proxy } from "../remote/servers.ts";

export interface Said {
  readonly header: Readonly<Record<string, unknown>>;
  readonly tensors: Tensors;
}

/** A server that answers as another does, but for what `change` makes of its replies; undefined: said nothing. */
export function tampered(
  endpoint: string,
  change: (said: Said) => Said | undefined,
): Promise<string> {
  const replies = (frames: Buffer[]) => {
    const said = change(decodeMessage(frames));
    return said === undefined ? [] : [encodeMessage(said.header, said.tensors).map(Buffer.from)];
  };
  return proxy(endpoint, { replies });
}

/** An error of one code, told otherwise. */
export function retold(code: string, otherwise: Readonly<Record<string, unknown>>, seq?: number) {
  return ({ header, tensors }: Said): Said =>
    header.code === code && (seq === undefined || header.seq === seq)
      ? { header: { ...header, ...otherwise }, tensors }
      : { header, tensors };
}

/**
 * A server that carries a repeated step out again and hides it behind the bytes of the first time:
 * numbers are translated, as the honest server behind it counts on.
 */
export async function steppingTwice(endpoint: string): Promise<string> {
  const kept = new Map<number, Buffer[]>();
  const asked: { seq: number; again: boolean }[] = [];
  let count = 0;
  const requests = (frames: Buffer[]) => {
    const { header, tensors } = decodeMessage(frames);
    if (header.type === "hello") {
      count = 0;
      kept.clear();
    }
    const again = header.type === "step" && kept.has(Number(header.seq));
    asked.push({ seq: Number(header.seq), again });
    count += 1;
    return [encodeMessage({ ...header, seq: count }, tensors).map(Buffer.from)];
  };
  const replies = (frames: Buffer[]) => {
    const { seq, again } = asked.shift()!;
    const { header, tensors } = decodeMessage(frames);
    const told = encodeMessage({ ...header, seq }, tensors).map(Buffer.from);
    if (again) return [kept.get(seq)!];
    kept.set(seq, told);
    return [told];
  };
  return proxy(endpoint, { requests, replies });
}
