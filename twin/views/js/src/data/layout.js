// Where on the stage each picture goes.

const GAP = 10;
// Of the first view's width, where two or three share the stage.
const SIDE_SHARE = 0.68;

/**
 * Rectangles, a list of views for each run: views of one run side by side, the first widest, or one
 * above the other where the stage is high; several runs in a grid.
 *
 * @param {{width: number, height: number, left: number}} stage `left` of it is the legend's where there are several runs
 * @param {number} runs
 * @param {number} views
 */
export function layout(stage, runs, views) {
  if (runs === 1) return [stage.width < stage.height ? column(stage, views) : row(stage, views)];
  const width = stage.width - stage.left;
  const columns = columnsOf(runs, views, width, stage.height);
  const rows = Math.ceil(runs / columns);
  const wide = (width - GAP * (columns - 1)) / columns;
  const high = (stage.height - GAP * (rows - 1)) / rows;
  return Array.from({ length: runs }, (_, k) => {
    const x = stage.left + (k % columns) * (wide + GAP);
    const y = Math.floor(k / columns) * (high + GAP);
    return column({ width: wide, height: high }, views).map((rect) => ({ ...rect, x: rect.x + x, y: rect.y + y }));
  });
}

/** Of the grid in which the pictures are largest. @param {number} runs @param {number} views @param {number} width @param {number} height */
function columnsOf(runs, views, width, height) {
  const size = (/** @type {number} */ columns) => Math.min(width / columns, height / Math.ceil(runs / columns) / views);
  return Array.from({ length: runs }, (_, k) => k + 1).reduce((best, columns) => (size(columns) > size(best) ? columns : best));
}

/** @param {{width: number, height: number}} stage @param {number} views */
function row({ width, height }, views) {
  const shares = Array.from({ length: views }, (_, k) => (k === 0 ? 1 : SIDE_SHARE));
  const total = shares.reduce((a, b) => a + b, 0);
  let x = 0;
  return shares.map((share) => {
    const wide = ((width - GAP * (views - 1)) * share) / total;
    const rect = { x, y: 0, width: wide, height };
    x += wide + GAP;
    return rect;
  });
}

/** @param {{width: number, height: number}} stage @param {number} views */
function column({ width, height }, views) {
  const high = (height - GAP * (views - 1)) / views;
  return Array.from({ length: views }, (_, k) => ({ x: 0, y: k * (high + GAP), width, height: high }));
}
