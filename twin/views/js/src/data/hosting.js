// Which satellites have hosted what, over a whole run.

/** Satellites that ever host a part of the model, by copy and layer. @param {import("../types").Trace} trace */
export function everHosting({ placement_satellite: satellite, placement_layer: layer, placement_instance: instance, placements }) {
  const end = placements.at(-1)?.end ?? 0;
  /** @type {Map<number, number>} */
  const first = new Map();
  for (let i = 0; i < end; i += 1) {
    const key = instance[i] * 1e6 + layer[i];
    if (!first.has(satellite[i]) || key < /** @type {number} */ (first.get(satellite[i]))) first.set(satellite[i], key);
  }
  return [...first].sort((a, b) => a[1] - b[1] || a[0] - b[0]).map(([s]) => s);
}
