// The live code: draws the window that holds now, counts down, runs a clock, and fetches the next ten before they run out.
// Time is the gateway's. What no longer holds is greyed out and said so, never left looking valid.
const panel = document.getElementById("code"), qr = document.getElementById("qr"), clock = document.getElementById("clock");
const ttl = document.getElementById("left"), ring = ttl.querySelector(".b"), count = ttl.querySelector("b"), words = ttl.querySelector("span");
const token = document.querySelector("#lock [name=csrfmiddlewaretoken]").value, AHEAD = 3;
let windows, ahead, shown, asking = false, retryAt = 0;
function take(told) {
  windows = told.windows;
  ahead = told.now - Date.now() / 1000;
}
function draw({ size, bits }) {
  const bytes = Uint8Array.from(atob(bits), (c) => c.charCodeAt(0));
  let path = "";
  for (let i = 0; i < size * size; i++) if (bytes[i >> 3] & (128 >> (i & 7))) path += `M${(i % size) + 4} ${Math.floor(i / size) + 4.5}h1`;
  qr.innerHTML = `<svg class="q" viewBox="0 0 ${size + 8} ${size + 8}" shape-rendering="crispEdges" aria-hidden="true"><path d="${path}"/></svg>`;
}
async function fetchMore() {
  if (asking || Date.now() < retryAt) return;
  asking = true;
  retryAt = Date.now() + 5000;
  try {
    const answer = await fetch(panel.dataset.fresh, { method: "POST", headers: { "X-CSRFToken": token }, redirect: "error" });
    if (answer.ok) take(await answer.json());
    else if (answer.status === 403 || answer.status === 409) location.reload(); // locked again, or no longer this phone
  } catch { /* no signal: what was fetched goes on */ } finally { asking = false; }
}
function tick() {
  const now = Date.now() / 1000 + ahead, at = windows.findIndex((each) => each.from <= now && now < each.to), current = windows[at];
  clock.textContent = new Date(now * 1000).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
  panel.classList.toggle("stale", !current);
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
take(JSON.parse(panel.dataset.codes));
clock.hidden = false;
tick();
setInterval(tick, 1000);
document.getElementById("refresh").addEventListener("click", (e) => { e.preventDefault(); retryAt = 0; fetchMore(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); navigator.wakeLock?.request("screen").catch(() => {}); } });
navigator.wakeLock?.request("screen").catch(() => {});
