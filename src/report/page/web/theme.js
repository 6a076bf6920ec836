// The switch between light, dark, and what the system says; kept where the browser lets a page keep something.
export function themeSwitch(button, onChange) {
  const themes = ["light dark", "light", "dark"];
  const names = { "light dark": "Theme: system", light: "Theme: light", dark: "Theme: dark" };
  const kept = { read: () => localStorage.getItem("rmqplay-theme"), write: (theme) => localStorage.setItem("rmqplay-theme", theme) };
  const quietly = (act) => {
    try {
      return act();
    } catch {
      return null;
    }
  };
  const set = (theme) => {
    document.documentElement.style.colorScheme = theme;
    button.textContent = names[theme];
    button.dataset.theme = theme;
    onChange();
  };
  button.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(button.dataset.theme) + 1) % themes.length];
    quietly(() => kept.write(theme));
    set(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  const before = quietly(kept.read);
  set(themes.includes(before) ? before : themes[0]);
}
