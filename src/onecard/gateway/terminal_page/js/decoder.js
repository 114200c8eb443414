// A worker that looks for a QR code in one picture at a time, so that the page never waits for it.

import decodeQR from "../vendor/qr/decode.js";

onmessage = ({ data: picture }) => {
  let text = null;
  try {
    text = decodeQR(picture);
  } catch {
    // there is none in this picture
  }
  postMessage(text);
};
