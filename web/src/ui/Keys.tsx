import { Dialog } from "./Dialog";
import { wordsOf } from "./words";
import en from "./words.en.json";

const say = wordsOf({ en });

const KEYS = [
  ["/", "key_search"],
  ["f", "key_filter"],
  ["j  k", "key_move"],
  ["←  →", "key_values"],
  ["Enter", "key_open"],
  ["x", "key_exclude"],
  ["Esc", "key_close"],
  ["?", "key_help"],
] as const;

/** The keyboard's keys, in a dialog. */
export default function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={say("keyboard")} onClose={onClose}>
      <dl className="help">
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning} className="help-line">
            <dt>
              {keys.split("  ").map((key) => (
                <kbd key={key} className="kbd">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{say(meaning)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
