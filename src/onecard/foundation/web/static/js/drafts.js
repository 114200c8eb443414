// What is typed into a form stays in this tab until it was sent and taken: also when the session ends meanwhile. Neither
// passwords and codes nor what people are looked for by; and nothing of one officer's is shown to another.
const box = document.getElementById("session"), told = document.getElementById("live"), store = sessionStorage;
const who = box.dataset.who, PREFIX = "draft:", SENT = "draft-sent", WHO = "draft-who";
const forget = (keep) => Object.keys(store).forEach((key) => { if (key.startsWith(PREFIX) && key !== keep) store.removeItem(key); });
if (store.getItem(WHO) !== who) { forget(); store.removeItem(SENT); }
store.setItem(WHO, who);

const FIELDS = "textarea[name], select[name], input[type=text][name], input[type=checkbox][name], input[type=radio][name]";
const SECRET = "[name=code], [name=checker], [name$=-code]";
const fields = (form) => [...form.querySelectorAll(FIELDS)].filter((field) => !field.matches(SECRET));
const ticks = (field) => field.type === "checkbox" || field.type === "radio";
const isAsDrawn = (field) => ticks(field) ? field.checked === field.defaultChecked
  : field.tagName === "SELECT" ? ![...field.options].some((o) => o.defaultSelected !== o.selected && (o.defaultSelected || o.index > 0))
  : field.value === field.defaultValue;
const forms = [...document.querySelectorAll("main form[method=post]")].filter((form) => !form.querySelector("#gs") && fields(form).length);
const keyOf = (form) => `${PREFIX}${form.getAttribute("action") || location.pathname}`;

const sent = store.getItem(SENT);
const taken = document.querySelector("main .alert.ok[role=status]") || !forms.some((form) => keyOf(form) === sent);
if (sent && taken) store.removeItem(sent);
store.removeItem(SENT);

for (const form of forms) {
  const key = keyOf(form), kept = JSON.parse(store.getItem(key) || "null");
  if (kept && fields(form).every(isAsDrawn)) {
    let restored = false;
    for (const field of fields(form)) {
      const value = kept[ticks(field) ? `${field.name}=${field.value}` : field.name];
      if (value === undefined) continue;
      if (ticks(field)) field.checked = value; else field.value = value;
      restored ||= !isAsDrawn(field);
    }
    if (restored) told.textContent = box.dataset.restored;
  }
  form.addEventListener("input", () => {
    const values = fields(form).map((field) => ticks(field) ? [`${field.name}=${field.value}`, field.checked] : [field.name, field.value]);
    store.setItem(key, JSON.stringify(Object.fromEntries(values)));
  });
  form.addEventListener("submit", () => store.setItem(SENT, key));
}
document.querySelector("a[href$='/sign-out/']")?.addEventListener("click", () => { forget(); store.removeItem(SENT); });
