// The camera: frames go to the decoder one at a time; what it reads is told once for each time that it is held up.

const SIDE_PX = 720;
const EVERY_MS = 80;
/** A code that stays in view, or comes back so soon, is the same showing. */
const SAME_MS = 3000;

export class Camera {
  #stream = null;
  #decoder = null;
  #canvas = new OffscreenCanvas(SIDE_PX, SIDE_PX).getContext("2d", { willReadFrequently: true });
  #seen = { text: null, at: -Infinity };
  #timer = null;

  /**
   * `found(text)` is told of each code and says whether it takes it; `state(word)` is told how the camera does: a key of
   * words.js.
   */
  constructor(video, found, state) {
    this.video = video;
    this.found = found;
    this.state = state;
  }

  get isOn() { return this.#stream !== null; }

  /** Open a camera: the one with this id, or the one that looks away from the screen. */
  async start(id = null) {
    this.stop();
    this.state("camera_opening");
    try {
      const wanted = id ? { deviceId: { exact: id } } : { facingMode: "environment" };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { ...wanted, width: 1280, height: 720 } });
    } catch (error) {
      return this.state(error.name === "NotAllowedError" ? "camera_denied" : "camera_none");
    }
    this.video.srcObject = this.#stream;
    await this.video.play().catch(() => {});
    this.#decoder ??= new Worker(new URL("decoder.js", import.meta.url), { type: "module" });
    this.#decoder.onmessage = ({ data: text }) => this.#read(text);
    this.state("camera_aim");
    this.#look();
  }

  stop() {
    clearTimeout(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = this.video.srcObject = null;
    this.state("camera_off");
  }

  /** The next camera after the one that is open, then none, then the first again. */
  async turn() {
    const cameras = (await navigator.mediaDevices?.enumerateDevices() ?? []).filter((each) => each.kind === "videoinput");
    const current = this.#stream?.getVideoTracks()[0]?.getSettings().deviceId;
    const at = cameras.findIndex((each) => each.deviceId === current);
    if (this.isOn && at >= cameras.length - 1) return this.stop();
    return this.start(cameras[at + 1]?.deviceId ?? null);
  }

  /** Send the middle of the picture, as large as it goes into a square, to the decoder. */
  #look() {
    if (!this.#stream) return;
    const { videoWidth: width, videoHeight: height, readyState } = this.video;
    if (readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !width) {
      this.#timer = setTimeout(() => this.#look(), EVERY_MS);
      return;
    }
    const side = Math.min(width, height);
    this.#canvas.drawImage(this.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE_PX, SIDE_PX);
    const { data } = this.#canvas.getImageData(0, 0, SIDE_PX, SIDE_PX);
    this.#decoder.postMessage({ width: SIDE_PX, height: SIDE_PX, data }, [data.buffer]);
  }

  #read(text) {
    if (!this.#stream) return;
    this.#timer = setTimeout(() => this.#look(), EVERY_MS);
    const now = performance.now();
    if (text === null) {
      if (now - this.#seen.at > SAME_MS) this.state("camera_aim");
      return;
    }
    const isSame = text === this.#seen.text && now - this.#seen.at <= SAME_MS;
    if (!isSame && !this.found(text)) return;
    this.#seen = { text, at: now };
    this.state("camera_read");
  }
}
