// Colours come from Python with the trace, so that the globe, its legend and the charts agree.

export function rgb(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** 256 colours between evenly spaced stops, as one flat array. */
export function ramp(stops) {
  const colours = stops.map(rgb);
  const table = new Float32Array(3 * 256);
  for (let i = 0; i < 256; i += 1) {
    const place = (i / 255) * (colours.length - 1);
    const k = Math.min(Math.floor(place), colours.length - 2);
    for (let c = 0; c < 3; c += 1) {
      table[3 * i + c] = colours[k][c] + (colours[k + 1][c] - colours[k][c]) * (place - k);
    }
  }
  return table;
}
