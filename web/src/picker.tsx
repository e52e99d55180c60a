// SPDX-License-Identifier: Apache-2.0
// Chooses one key of a subject: a text field that completes from the keys there are (the combobox pattern of the ARIA practices guide).
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { keys, type Row } from "./api";
import { keysTable, keyText, type Subject } from "./shape";

const SHOWN = 40;
const TYPING_MS = 120;

interface PickerProps {
  subject: Subject;
  chosen: Row | null;
  choose: (key: Row) => void;
}

export function Picker({ subject, chosen, choose }: PickerProps) {
  const id = useId();
  const [text, setText] = useState<string | null>(null); // null: not being typed in, the chosen key stands there
  const [found, setFound] = useState<Row[]>([]);
  const [active, setActive] = useState(0);
  const hasty = useRef(false); // Enter came before the answer did
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const open = text !== null;
  const fitting = found.filter((key) => String(key[subject.columns[0]!]).startsWith(text ?? "")); // `found` may be of an earlier text

  useEffect(() => {
    if (text === null) return;
    const abort = new AbortController();
    const ask = () =>
      keys(keysTable(subject), text, SHOWN, abort.signal)
        .then((answer) => {
          setFound(answer.keys);
          setActive(0);
          if (hasty.current) take(answer.keys[0]);
        })
        .catch(() => undefined); // the connection's own notice says so
    const timer = setTimeout(ask, text ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, subject.id]);
  useEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [active]);

  const take = (key: Row | undefined) => {
    hasty.current = false;
    if (key) choose(key);
    setText(null);
  };
  const type = (typed: string) => {
    hasty.current = false;
    setActive(0);
    setText(typed);
  };
  const press = (e: KeyboardEvent) => {
    const move = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
    if (move && !open) setText("");
    else if (move && fitting.length) setActive((active + move + fitting.length) % fitting.length);
    else if (e.key === "Enter" && open && fitting.length === 0) hasty.current = true;
    else if (e.key === "Enter" && open) take(fitting[active]);
    else if (e.key === "Escape" && open) take(undefined);
    else return;
    e.preventDefault();
  };

  return (
    <div class="picker">
      <label for={`${id}-input`}>{subject.title}</label>
      <input id={`${id}-input`} ref={input} role="combobox" aria-expanded={open} aria-controls={`${id}-list`} aria-autocomplete="list"
        aria-activedescendant={open && fitting.length ? `${id}-${active}` : undefined} autocomplete="off" spellcheck={false}
        placeholder={chosen ? keyText(subject, chosen) : "Type to find one"} value={text ?? (chosen ? keyText(subject, chosen) : "")}
        onClick={() => open || setText("")} onInput={(e) => type(e.currentTarget.value)} onKeyDown={press} onBlur={() => take(undefined)} />
      <ul id={`${id}-list`} ref={list} role="listbox" aria-label={`Each ${subject.title}`} hidden={!open}>
        {fitting.map((key, i) => (
          <li key={keyText(subject, key)} id={`${id}-${i}`} role="option" aria-selected={i === active}
            onMouseDown={(e) => { e.preventDefault(); take(key); input.current?.blur(); }}>
            {keyText(subject, key)}
          </li>
        ))}
        {open && fitting.length === 0 && <li role="option" aria-disabled="true" aria-selected={false} class="quiet">None begins with this</li>}
      </ul>
    </div>
  );
}
