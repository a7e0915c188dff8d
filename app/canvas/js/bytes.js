// What arrives as text: base64 to arrays.

const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const wordsOf = (text) => new Uint16Array(bytesOf(text).buffer);
const rowsOf = (text) => new Uint32Array(bytesOf(text).buffer);
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
const css = (lut, k) => `rgb(${lut[3 * k]},${lut[3 * k + 1]},${lut[3 * k + 2]})`;
