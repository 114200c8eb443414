// Rules for every htmx swap (focus, live region, busy), "/" to search, and one submit per form. No inline handlers, no eval.
const live = document.getElementById("live");
document.addEventListener("htmx:beforeRequest", (e) => e.detail.target?.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:afterRequest", (e) => e.detail.target?.removeAttribute("aria-busy"));
document.addEventListener("htmx:afterSwap", (e) => {
  const say = e.detail.target?.dataset.announce || e.detail.target?.querySelector("[data-announce]")?.dataset.announce;
  if (say) live.textContent = say;
  e.detail.target?.querySelector("[data-autofocus]")?.focus();
});
document.addEventListener("keydown", (e) => {
  if (e.key !== "/" || e.ctrlKey || e.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
  const box = document.getElementById("gs");
  if (box) { e.preventDefault(); box.focus(); }
});
document.addEventListener("submit", (e) => { // a second press while the first is under way does nothing
  const button = e.target.querySelector("button[type=submit]");
  if (e.target.dataset.sent) e.preventDefault();
  else if (button && e.target.method === "post" && !e.target.hasAttribute("hx-post")) {
    e.target.dataset.sent = "1";
    button.setAttribute("aria-busy", "true");
  }
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { // back button
  delete form.dataset.sent;
  form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
}));
document.querySelector(".summary")?.focus(); // after a refused form: the summary of what is wrong
