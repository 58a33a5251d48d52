/** Messages of one peer on end, and per second after that. */
const ofOne = { burst: 100, rate: 50 } as const;
/** Of all of them together, beyond the first few of each. */
const ofAll = { burst: 500, rate: 200 } as const;
const greetings = 5;
/** Peers remembered at a time. */
const mostPeers = 4096;

interface Purse {
  left: number;
  at: number;
  seen: number;
}

/**
 * How much of a server's time those may take who do not drive it. What is beyond that is dropped unread, as
 * protocol/README.md §7 allows; a new driver's first messages always pass. Pure: `now` in seconds.
 */
export class StrangerLimit {
  readonly #purses = new Map<string, Purse>();
  readonly #common: Purse = { left: ofAll.burst, at: 0, seen: 0 };

  admits(peer: string, now: number): boolean {
    const purse = this.#purseOf(peer, now);
    purse.seen++;
    if (!spend(purse, ofOne, now)) return false;
    return purse.seen <= greetings || spend(this.#common, ofAll, now);
  }

  #purseOf(peer: string, now: number): Purse {
    const found = this.#purses.get(peer);
    if (found !== undefined) return found;
    const purse = { left: ofOne.burst, at: now, seen: 0 };
    this.#purses.set(peer, purse);
    if (this.#purses.size > mostPeers) {
      const [oldest] = this.#purses.keys();
      if (oldest !== undefined) this.#purses.delete(oldest);
    }
    return purse;
  }
}

function spend(purse: Purse, { burst, rate }: { burst: number; rate: number }, now: number) {
  purse.left = Math.min(burst, purse.left + (now - purse.at) * rate);
  purse.at = now;
  if (purse.left < 1) return false;
  purse.left--;
  return true;
}
