// Makes the portal an app: registers the worker, tells it how the page is shown, and drops codes kept on this phone
// where they are another person's, locked or signed out. What a form was answered with goes by the address of its page: to
// reload it, or to come back to it, must not send again what was typed, a PIN above all.
const at = document.head.querySelector("meta[name=at]")?.content;
if (at) history.replaceState(null, "", at);
const kept = document.head.querySelector("meta[name=codes]").content, root = document.documentElement;
try {
  const held = JSON.parse(localStorage.getItem("codes"));
  if (held && kept !== "offline" && held.mark !== kept) localStorage.removeItem("codes");
} catch { localStorage.removeItem("codes"); }
document.addEventListener("submit", (e) => { if (/\/(sign-out|lock)\/$/.test(e.target.action)) localStorage.removeItem("codes"); });
// A row of chips is pushed sideways on a phone; a browser leaves one that is half in sight where it is.
document.addEventListener("focusin", ({ target }) => { if (target.matches(".chip")) target.scrollIntoView({ block: "nearest", inline: "nearest" }); });
if (kept !== "offline" && navigator.serviceWorker) {
  navigator.serviceWorker.register("/worker.js").catch(() => {});
  navigator.serviceWorker.ready.then(({ active }) => active.postMessage(`?lang=${root.lang.slice(0, 2)}&mode=${root.dataset.mode}`));
}
