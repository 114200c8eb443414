// Warns before the session ends, and lets one key press keep it. What is typed on the page stays as it is.
const box = document.getElementById("session"), form = box.querySelector("form"), told = document.getElementById("live");
let waiting;
function wait(leftS) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    box.hidden = false;
    told.textContent = box.querySelector("b").textContent;
    form.querySelector("button").focus();
  }, Math.max(0, leftS - Number(box.dataset.warning)) * 1000);
}
form.addEventListener("submit", async (e) => {
  e.preventDefault();
  e.stopImmediatePropagation();
  const kept = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "error" }).catch(() => null);
  if (!kept?.ok) { form.submit(); return; } // ended already: the page says so
  box.hidden = true;
  wait(Number(box.dataset.life));
}, true);
wait(Number(box.dataset.left));
