// Single sends that a story loses, by the Raft messages that are in them.
import { type Message, MessageType } from "@quorate/raft";
import { raftMessagesIn } from "../peer-frames.ts";

export interface Loss {
  readonly types: readonly MessageType[];
  /** Null: anybody. */
  readonly from: string | null;
  readonly to: string | null;
  readonly which: (message: Message) => boolean;
}

export class Losses {
  readonly #active: Map<Loss, ReadonlySet<MessageType>>;

  constructor() {
    this.#active = new Map();
  }

  begin(loss: Loss): void {
    this.#active.set(loss, new Set(loss.types));
  }

  /** False: it had ended already. */
  end(loss: Loss): boolean {
    return this.#active.delete(loss);
  }

  clear(): void {
    this.#active.clear();
  }

  hits(from: string, to: string, bytes: Uint8Array): boolean {
    for (const [loss, types] of this.#active) {
      if ((loss.from ?? from) !== from || (loss.to ?? to) !== to) continue;
      if (raftMessagesIn(bytes, types).some(loss.which)) return true;
    }
    return false;
  }
}

export function describeLoss({ types, from, to }: Loss): string {
  const names = types.map((type) => messageNames[type]).join(", ");
  return `${names} from ${from ?? "all"} to ${to ?? "all"}`;
}

const messageNames = Object.fromEntries(
  Object.entries(MessageType).map(([name, type]) => [type, name]),
) as Record<MessageType, string>;
