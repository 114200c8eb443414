// Passkeys: asks this site what to make or sign, lets the browser do it, and posts the answer as the form's own field.
const form = document.getElementById("passkey"), go = document.getElementById("passkey-go"), said = document.getElementById("passkey-said");
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));
async function asked() {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(form.dataset.begin, { method: "POST", headers: { "X-CSRFToken": token }, redirect: "error" });
  if (answer.status === 403 || answer.status === 409) location.reload(); // the page is behind: as it is now, it says what to do first
  if (!answer.ok) throw new Error(answer.status);
  const { publicKey } = await answer.json();
  publicKey.challenge = bytes(publicKey.challenge);
  return publicKey;
}
async function made() {
  const publicKey = await asked();
  publicKey.user.id = bytes(publicKey.user.id);
  publicKey.excludeCredentials = known(publicKey.excludeCredentials);
  const { response, ...key } = told(await navigator.credentials.create({ publicKey }));
  return { ...key, response: { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject) } };
}
async function signed() {
  const publicKey = await asked();
  publicKey.allowCredentials = known(publicKey.allowCredentials);
  const { response, ...key } = told(await navigator.credentials.get({ publicKey }));
  const parts = { clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData) };
  return { ...key, response: { ...parts, signature: text(response.signature), userHandle: response.userHandle && text(response.userHandle) } };
}
function told(made) {
  return { id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: made.getClientExtensionResults(), response: made.response };
}
async function start() {
  said.textContent = "";
  go.setAttribute("aria-busy", "true");
  try {
    form.elements.credential.value = JSON.stringify(await (form.dataset.does === "create" ? made() : signed()));
    form.submit();
  } catch { // turned down, timed out, or nothing there: the other ways in stand beside it
    said.textContent = form.dataset.failed;
  } finally { go.removeAttribute("aria-busy"); }
}
if (form && window.PublicKeyCredential) {
  go.hidden = false;
  document.getElementById("passkey-cannot")?.remove();
  go.addEventListener("click", start);
}
