// Reads a page aloud (听一听), and only when it is tapped: its first sentence, and the number for staff digit by digit.
const button = document.getElementById("listen"), voice = window.speechSynthesis;
button.hidden = !voice;
button.addEventListener("click", () => {
  if (voice.speaking) { voice.cancel(); return; } // a second tap is enough of it
  const said = [...document.querySelectorAll("[data-say]")].map((each) => each.textContent.trim());
  const digits = document.getElementById("number")?.textContent.replace(/\D/g, "") ?? "";
  const words = new SpeechSynthesisUtterance([...said, ...digits].join(document.documentElement.lang === "en" ? ". " : "。"));
  words.lang = document.documentElement.lang;
  words.rate = 0.8;
  voice.speak(words);
});
