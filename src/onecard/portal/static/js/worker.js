// Keeps the page without a signal and the files it loads, and nothing that is somebody's. What a page is shown in (language,
// size of letters) it tells here, and the page without a signal is kept in that, asked for without cookies.
const { release, page } = self.RELEASE, NAME = `shell-${release}`;
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (e) => e.waitUntil(caches.keys()
  .then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name))))
  .then(() => self.clients.claim())));
async function keep(look) {
  const cache = await caches.open(NAME), kept = await cache.match(page);
  if (kept && kept.headers.get("X-Look") === look) return;
  const answer = await fetch(page + look, { credentials: "omit" });
  if (!answer.ok) return;
  const text = await answer.text();
  await cache.addAll(new Set(text.match(/\/static\/[\w./-]+/g)));
  const headers = new Headers(answer.headers);
  headers.set("X-Look", look);
  await cache.put(page, new Response(text, { headers }));
}
self.addEventListener("message", (e) => e.waitUntil(keep(e.data).catch(() => {}))); // no signal: next time
self.addEventListener("fetch", (e) => {
  const { request } = e;
  if (request.mode === "navigate") e.respondWith(fetch(request).catch(async () => (await caches.match(page)) || Response.error()));
  else if (new URL(request.url).pathname.startsWith("/static/")) e.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
});
