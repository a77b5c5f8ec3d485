// Language and theme before the first paint, so that nothing flashes: what was chosen last, else the browser's own.

function kept(name) {
  try {
    return localStorage.getItem(`editfarm-${name}`);
  } catch {
    return null; // a browser may forbid a file to keep anything
  }
}

{
  const language = kept("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";

  const theme = kept("theme");
  if (theme) document.documentElement.dataset.theme = theme;
}
