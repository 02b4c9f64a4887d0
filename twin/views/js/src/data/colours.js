// Colours come from Python with the head, so that stage, legend and charts agree.

export function rgb(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

const ramps = new Map();

/** 256 colours between evenly spaced stops, four bytes each; the same table for the same stops. */
export function ramp(stops) {
  const key = stops.join();
  if (!ramps.has(key)) ramps.set(key, interpolated(stops));
  return ramps.get(key);
}

function interpolated(stops) {
  const colours = stops.map(rgb);
  const table = new Uint8Array(4 * 256).fill(255);
  for (let i = 0; i < 256; i += 1) {
    const place = (i / 255) * (colours.length - 1);
    const k = Math.min(Math.floor(place), colours.length - 2);
    for (let c = 0; c < 3; c += 1) {
      table[4 * i + c] = Math.round(255 * (colours[k][c] + (colours[k + 1][c] - colours[k][c]) * (place - k)));
    }
  }
  return table;
}

/** The colour of a share, 0 to 1, of a ramp as a CSS colour. */
function shade(stops, share) {
  const table = ramp(stops);
  const at = 4 * Math.round(255 * Math.min(Math.max(share, 0), 1));
  return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
}

/** The colour of a layer, the first to the last of `layers`. */
export function layerColour(stops, layer, layers) {
  return shade(stops, layers > 1 ? layer / (layers - 1) : 0);
}
