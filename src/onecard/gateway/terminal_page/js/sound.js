// Three sounds: up for admitted, down for refused, two equal ones for "ask the staff". Made here, no files.

const TONES = { ok: [880, 1320], bad: [392, 262], warn: [523, 523] };
const STEP_S = 0.16;

let context = null;

/** Let the page sound from now on; browsers allow it after somebody touched the page. */
export function wakeSound() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
}

/** Whether the page sounds when it is asked to. */
export const isAudible = () => context?.state === "running";

export function sound(tone) {
  if (!isAudible()) return;
  TONES[tone].forEach((pitch, at) => note(pitch, context.currentTime + at * STEP_S));
}

function note(pitch, from) {
  const oscillator = new OscillatorNode(context, { type: "triangle", frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, from);
  volume.gain.linearRampToValueAtTime(0.5, from + 0.02);
  volume.gain.linearRampToValueAtTime(0, from + STEP_S);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(from);
  oscillator.stop(from + STEP_S);
}
