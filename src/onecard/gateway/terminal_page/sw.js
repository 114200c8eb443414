// The service worker: keeps this version of the page, so that a terminal works after a reload without a network.

const VERSION = "{{ version }}";
const FILES = "{{ files }}";
const HOME = "/terminal/";
const CACHE = `onecard-terminal-${VERSION}`;

// All of a version or nothing of it. Whoever is at work with the version before keeps it until the page says so.
self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([HOME, ...FILES.map((file) => HOME + file)])));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name.startsWith("onecard-terminal-") && name !== CACHE).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

// What this version is made of, out of the cache; everything else goes to the gateway and is never kept here.
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !url.pathname.startsWith(HOME)) return;
  event.respondWith(caches.open(CACHE).then((cache) => cache.match(url.pathname)).then((kept) => kept ?? fetch(event.request)));
});
