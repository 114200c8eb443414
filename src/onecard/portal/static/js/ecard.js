// The live code: draws the window that holds now, counts down, runs a clock, and fetches the next ten before they run out.
// Time is the gateway's. What no longer holds is greyed out and said so, never left looking valid. What was fetched is kept
// on this phone until it runs out, so that the page without a signal shows it; app.js drops what is not this holder's.
const panel = document.getElementById("code"), qr = document.getElementById("qr"), clock = document.getElementById("clock");
const ttl = document.getElementById("left"), ring = ttl.querySelector(".b"), count = ttl.querySelector("b"), words = ttl.querySelector("span");
const age = document.getElementById("age"), whose = document.getElementById("whose"), mark = document.head.querySelector("meta[name=codes]").content;
const token = document.querySelector("#lock [name=csrfmiddlewaretoken]")?.value, { fresh } = panel.dataset, AHEAD = 3;
let windows = [], ahead, shown, taken, asking = false, retryAt = 0, silent = !fresh;
function take(told) {
  windows = told.windows;
  taken = told.now;
  ahead = told.now - Date.now() / 1000;
  silent = false;
  try { localStorage.setItem("codes", JSON.stringify({ mark, windows, taken, ahead, at: Date.now(), whose: whose?.textContent })); } catch { /* kept by nobody: then only this page has them */ }
}
function takeKept() {
  const held = JSON.parse(localStorage.getItem("codes") ?? "null"), now = Date.now();
  if (!held || now < held.at || now / 1000 + held.ahead >= held.windows.at(-1).to) { localStorage.removeItem("codes"); return; }
  ({ windows, taken, ahead } = held);
  panel.hidden = false;
  whose.textContent = held.whose ?? "";
  whose.hidden = !held.whose;
}
function draw({ size, bits }) {
  const bytes = Uint8Array.from(atob(bits), (c) => c.charCodeAt(0));
  let path = "";
  for (let i = 0; i < size * size; i++) if (bytes[i >> 3] & (128 >> (i & 7))) path += `M${(i % size) + 4} ${Math.floor(i / size) + 4.5}h1`;
  qr.innerHTML = `<svg class="q" viewBox="0 0 ${size + 8} ${size + 8}" shape-rendering="crispEdges" aria-hidden="true"><path d="${path}"/></svg>`;
}
async function fetchMore() {
  if (!fresh || asking || Date.now() < retryAt) return;
  asking = true;
  retryAt = Date.now() + 5000;
  try {
    const answer = await fetch(fresh, { method: "POST", headers: { "X-CSRFToken": token }, redirect: "manual" });
    if (answer.ok) take(await answer.json());
    else if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 409) { // signed out, locked again, or no longer this phone
      localStorage.removeItem("codes");
      location.reload();
    }
  } catch { silent = true; /* no signal: what was fetched goes on */ } finally { asking = false; }
}
const time = (s, style) => new Date(s * 1000).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai", ...style });
function tellAge(now) {
  const short = { hour: "2-digit", minute: "2-digit" }, told = { at: time(taken, short), minutes: Math.floor((now - taken) / 60), until: time(windows.at(-1).to, short) };
  age.hidden = !silent && navigator.onLine;
  if (!age.hidden) age.textContent = age.dataset.says.replace(/\{(\w+)\}/g, (_, key) => told[key]);
}
function tick() {
  const now = Date.now() / 1000 + ahead, at = windows.findIndex((each) => each.from <= now && now < each.to), current = windows[at];
  clock.textContent = time(now);
  panel.classList.toggle("stale", !current);
  tellAge(now);
  if (!current) words.textContent = panel.dataset.stale;
  else {
    if (current !== shown) draw(current);
    const left = Math.max(1, Math.ceil(current.to - now));
    if (!words.contains(count)) words.replaceChildren(count, ` ${ttl.dataset.says}`);
    count.textContent = left;
    ring.setAttribute("stroke-dashoffset", 100 - (left / (current.to - current.from)) * 100);
  }
  shown = current;
  if (!current || windows.length - at <= AHEAD) fetchMore();
}
if (fresh) take(JSON.parse(panel.dataset.codes));
else takeKept();
if (windows.length) {
  clock.hidden = false;
  tick();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); navigator.wakeLock?.request("screen").catch(() => {}); } });
  navigator.wakeLock?.request("screen").catch(() => {});
}
document.getElementById("refresh")?.addEventListener("click", (e) => { e.preventDefault(); retryAt = 0; fetchMore(); });
