import type { Guest, Link, LinkEvents } from "../remote/link.ts";
import type { TapeWriter } from "./tape.ts";

/** A link whose messages are recorded as they go and come. */
export function taped(link: Link, tape: TapeWriter): Link {
  return {
    get endpoint() {
      return link.endpoint;
    },
    get chosen() {
      return link.chosen;
    },
    start: (events: LinkEvents) =>
      link.start({
        weather: (change) => events.weather(change),
        message: (frames, from) => {
          tape.add("in", frames);
          events.message(frames, from);
        },
      }),
    send: (frames) => {
      tape.add("out", frames);
      link.send(frames);
    },
    sendTo: (guest: Guest, frames) => {
      tape.add("out", frames);
      link.sendTo(guest, frames);
    },
    choose: (guest) => link.choose(guest),
    others: () => link.others(),
    judge: (guest, verdict) => link.judge(guest, verdict),
    close: () => link.close(),
  };
}
