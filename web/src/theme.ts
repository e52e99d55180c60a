// SPDX-License-Identifier: Apache-2.0
// Light or dark: as the system has it, until someone chooses.
import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";
const KEY = "weir.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function current(): Theme {
  const chosen = localStorage.getItem(KEY);
  return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
}

const apply = (theme: Theme) => (document.documentElement.dataset.theme = theme);
apply(current());

export function useTheme(): [Theme, () => void] {
  const [theme, set] = useState(current);
  useEffect(() => {
    const follow = () => set(current());
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, []);
  // Before anything below is drawn: charts read their colours from the page.
  apply(theme);
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, next);
    set(next);
  };
  return [theme, toggle];
}
